import { compareCounts, compareUniform, count, type Trial } from "./counts.ts";
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

/** Equal or not, and by how much one is ahead of the other, for each two places, the upper half of config_id one of them; places that Chrome never makes equal show it in 215 hellos. */
export function greaseRelations(us: Sample, them: Sample): Trial[] {
  const [ours, reference] = [us.map(withConfigId), them.map(withConfigId)];
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
        compare(`${b} = ${a}`, ours, reference, equal, 1 / 16),
        compare(`${a} - ${b}`, ours, reference, ahead),
      ];
    })
  );
}

/** By how much a value is ahead of that of the hello before. */
export function seedSequence(us: Sample, them: Sample): Trial[] {
  const steps = (sample: Sample) => {
    const seeds = sample.map((each) => withConfigId(each).grease);
    return seeds.slice(1).map((grease, i) => ({ grease, last: seeds[i]! }));
  };
  const [ours, reference] = [steps(us), steps(them)];
  return namesOf([them.map(withConfigId)], ({ grease }) => grease).map((
    place,
  ) => {
    const step = ({ grease, last }: typeof ours[number]) =>
      grease[place] === undefined || last[place] === undefined
        ? undefined
        : (grease[place] - last[place]) & 15;
    return compareCounts(place, count(ours, step), count(reference, step));
  });
}

/** Adds the upper half of config_id to the places of GREASE, of whose seed it is. */
function withConfigId(observation: Observation): Observation {
  const { grease, ech } = observation;
  return ech
    ? { ...observation, grease: { ...grease, config_id: ech.configId >> 4 } }
    : observation;
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
