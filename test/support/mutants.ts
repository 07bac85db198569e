/** Programs that are broken in small ways, as programs are while somebody types them; the same ones for the same seed. */

/** Numbers from 0 to 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const token = /[A-Za-z_$][\w$]*|'[^'\n]*'|"[^"\n]*"|`[^`]*`|\d+|=>|\?\?|[&|]{2}|\s+|[^\s]/g;

/** Breaks a program in one to three places. */
export function mutate(text: string, random: () => number): string {
  let mutant = text;
  const count = 1 + Math.floor(random() * 3);
  for (let index = 0; index < count; index++) mutant = mutateOnce(mutant, random);
  return mutant;
}

function mutateOnce(text: string, random: () => number): string {
  const tokens = text.match(token) ?? [];
  const pick = (): number => Math.floor(random() * tokens.length);
  const pickWhere = (test: RegExp): number => {
    const places = [...tokens.keys()].filter(index => test.test(tokens[index] ?? ''));
    return places[Math.floor(random() * places.length)] ?? 0;
  };
  switch (Math.floor(random() * 9)) {
    case 0:
      tokens.splice(pick(), 1);
      break;
    case 1:
      tokens.splice(pick(), 1 + Math.floor(random() * 8));
      break;
    case 2:
      tokens[pickWhere(/^[A-Za-z_$]/)] =
        ['a', 'pipeline', 'undefined', 'nope', 'Task'][Math.floor(random() * 5)] ?? 'a';
      break;
    case 3: {
      const other = tokens[pickWhere(/^[A-Za-z_$]/)] ?? '';
      tokens[pickWhere(/^[A-Za-z_$]/)] = other;
      break;
    }
    case 4:
      tokens[pickWhere(/^['"`\d]/)] =
        ["'a'", "'b c'", "''", '0', '`x`', 'process.env.X', 'Math.random()'][Math.floor(random() * 7)] ?? '0';
      break;
    case 5:
      return text.slice(0, Math.floor(random() * text.length));
    case 6: {
      const lines = text.split(/(?<=;)/);
      const [moved = ''] = lines.splice(Math.floor(random() * lines.length), 1);
      lines.splice(Math.floor(random() * (lines.length + 1)), 0, moved);
      return lines.join('');
    }
    case 7: {
      const lines = text.split(/(?<=;)/);
      const index = Math.floor(random() * lines.length);
      lines.splice(index, 0, lines[index] ?? '');
      return lines.join('');
    }
    default: {
      const [a, b] = [pick(), pick()];
      [tokens[a], tokens[b]] = [tokens[b] ?? '', tokens[a] ?? ''];
    }
  }
  return tokens.join('');
}
