/** The report card for people, made of its data: docs/compatibility.md. */
export function cardText(card, differences) {
  return `${card.text()}${differences.length}`;
}
