import { compareUniform, count, type Trial } from "./counts.ts";
import type { Observation } from "./observation.ts";
import { binomialP } from "./p_value.ts";
import { compare, namesOf, repeats, type Sample } from "./sample.ts";

/** The value of each GREASE place that the reference kept; whether ours has more of them, masked bytes show. */
export function greaseValues(ours: Sample, reference: Sample): Trial[] {
  return namesOf([reference], ({ grease }) => grease).map((place) =>
    compare(place, ours, reference, ({ grease }) => grease[place])
  );
}

/** Only where the reference is uniform: then ours alone is held to it, with twice the power of a comparison. */
export function greaseUniformity(ours: Sample, reference: Sample): Trial[] {
  const counted = (sample: Sample, place: string) =>
    count(sample, ({ grease }) => grease[place]);
  return namesOf([reference], ({ grease }) => grease)
    .filter((place) => counted(reference, place).size === 16)
    .map((place) => compareUniform(place, counted(ours, place), 16));
}

/** Equal or not, and by how much one is ahead of the other, for each two places. */
export function greaseRelations(ours: Sample, reference: Sample): Trial[] {
  const places = namesOf([reference], ({ grease }) => grease);
  return places.flatMap((a, i) =>
    places.slice(0, i).flatMap((b) => {
      const ahead = ({ grease }: Observation) =>
        grease[a] === undefined || grease[b] === undefined
          ? undefined
          : (grease[a] - grease[b]) & 15;
      const equal = (observation: Observation) => {
        const difference = ahead(observation);
        return difference === undefined ? undefined : Number(difference === 0);
      };
      return [
        compare(`${b} = ${a}`, ours, reference, equal),
        compare(`${a} - ${b}`, ours, reference, ahead),
      ];
    })
  );
}

/** Both halves of config_id. */
export function echConfigId(ours: Sample, reference: Sample): Trial[] {
  return [4, 0].map((shift) =>
    compare(
      shift ? "upper half" : "lower half",
      ours,
      reference,
      ({ ech }) => ech && ech.configId >> shift & 15,
    )
  );
}

/** A client encrypts ECH with the AEAD that it offers first: AES-128-GCM (1) or ChaCha20-Poly1305 (3). */
export function echAead(ours: Sample, reference: Sample): Trial[] {
  if (!ours[0]?.parts || !reference[0]?.parts) return [];
  const fits = ({ parts, ech }: Observation) => {
    if (!parts || !ech) return undefined;
    const aes = parts.cipher_suites?.indexOf("1301") ?? -1;
    const chacha = parts.cipher_suites?.indexOf("1303") ?? -1;
    const aead = aes < chacha ? 1 : 3;
    return Number(parts["extension 65037"]?.includes(`aead ${aead},`));
  };
  return [compare("AEAD", ours, reference, fits)];
}

/** Hellos whose GREASE values and config_id an earlier hello had; there are 2^32 of Chrome 156, so that chance hardly repeats them. */
export function repeatedSeeds(ours: Sample, reference: Sample): Trial[] {
  const [a, b] = [ours, reference].map((sample) =>
    repeats(
      sample,
      ({ grease, ech }) => JSON.stringify([grease, ech?.configId]),
    ).get(1) ?? 0
  ) as [number, number];
  const share = pairs(ours.length) /
    (pairs(ours.length) + pairs(reference.length));
  return [{ label: "seeds", statistic: a, p: binomialP(a, a + b, share) }];
}

function pairs(n: number): number {
  return n * (n - 1) / 2;
}
