// Server-sent events as they come over HTTP (WHATWG HTML, 9.2), from a side that is not trusted: with limits.

/** A line, or an event's lines together. An event of a BMC has some 2 KB. */
export const EVENT_LENGTH_MAX = 256 * 1024;

/**
 * The data of each event. What is no data (ids, comments that keep the line awake) is passed over. Throws where a line or
 * an event has no end; an event that is cut off by the end of the stream is none.
 */
export async function* serverSent(chunks: AsyncIterable<Uint8Array>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let data: string[] = [];
  let length = 0;
  for await (const chunk of chunks) {
    // A CR at the end may be half of a line's end.
    const text = rest + decoder.decode(chunk, { stream: true });
    const held = text.endsWith('\r') ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/);
    rest = `${lines.pop()}${held ? '\r' : ''}`;
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
        length = 0;
        continue;
      }
      const [, value] = /^data(?:: ?|$)(.*)$/s.exec(line) ?? [];
      if (value === undefined) continue;
      data.push(value);
      length += value.length;
      if (length > EVENT_LENGTH_MAX) throw tooLong();
    }
    if (rest.length > EVENT_LENGTH_MAX) throw tooLong();
  }
}

const tooLong = () => new Error(`an event of its stream is longer than ${EVENT_LENGTH_MAX} characters`);
