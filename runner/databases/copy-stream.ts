/** `COPY … FROM STDIN` as a stream that survives an error of the server. */
import { type CopyStreamQuery, from } from 'pg-copy-streams';

/** What the library's stream consists of, as far as it matters here. */
interface Inside {
  /** `null` once the server has refused the statement, or has completed it. */
  readonly connection: object | null;
  flush(callback?: () => void): void;
  _destroy(error: Error | null, callback: (error?: Error | null) => void): void;
}

/**
 * The library's stream (pg-copy-streams 7.0.0) lets go of its connection when the server says an error, but goes on with
 * what waits for the socket to have room, or for its own end: that would be an exception which nobody can catch. The
 * error itself has been emitted by then, so what is left to be sent is dropped.
 */
export function copyFrom(statement: string): CopyStreamQuery {
  const stream = from(statement);
  const inside = stream as unknown as Inside;
  const flush = inside.flush.bind(stream);
  inside.flush = callback => {
    if (inside.connection !== null) flush(callback);
  };
  const destroy = inside._destroy.bind(stream);
  inside._destroy = (error, callback) => {
    if (inside.connection === null) callback(error);
    else destroy(error, callback);
  };
  return stream;
}
