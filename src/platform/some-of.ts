/** The first of them, and how many more there are: `a, b and 7 more`. */
export function someOf(items: readonly string[], most: number): string {
  const shown = items.slice(0, most).join(', ');
  return items.length > most ? `${shown} and ${items.length - most} more` : shown;
}
