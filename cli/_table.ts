/** Lays `rows` out under `head`, columns two spaces apart; numbers are set flush right. */
export function table(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) =>
    Math.max(...cells.map((row) => (row[column] ?? "").length))
  );
  const isNumeric = head.map((_, column) =>
    rows.length > 0 && rows.every((row) => typeof row[column] === "number")
  );
  return cells.map((row) =>
    widths.map((width, column) => {
      const cell = row[column] ?? "";
      return isNumeric[column] ? cell.padStart(width) : cell.padEnd(width);
    }).join("  ").trimEnd()
  ).join("\n");
}
