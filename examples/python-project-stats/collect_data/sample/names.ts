/** Names of invented things, by their number. */

const adjectives =
  'agile bold calm clever crisp eager fuzzy gentle happy icy jolly keen lazy lucky mellow merry misty neat noble odd plain proud quick quiet rapid rusty shiny silent simple sleek smart snowy solid spicy steady sunny swift tiny warm witty'.split(
    ' ',
  );
const nouns =
  'anchor badger beacon bridge button canyon castle cobra comet cradle daemon engine falcon forge garden harbor hammer island jungle kettle ladder lantern magnet meadow needle orchid parser pebble piston python quarry ribbon router saddle signal socket spider temple timber walrus'.split(
    ' ',
  );

/** Different for each number: `agile-anchor`, …, `agile-anchor-2`. No real project is called so that is in the fixture. */
export function projectName(number: number): string {
  const adjective = adjectives[number % adjectives.length] ?? '';
  const noun = nouns[Math.floor(number / adjectives.length) % nouns.length] ?? '';
  const round = Math.floor(number / (adjectives.length * nouns.length));
  return `${adjective}-${noun}${round === 0 ? '' : `-${round + 1}`}`;
}

export function userName(number: number): string {
  return `${nouns[number % nouns.length] ?? ''}${number}`;
}
