import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { StringDecoder } from "node:string_decoder";
import { errnoOf } from "../errors.ts";

/** One line of a replica's log. */
export interface TimedLine {
  /** Milliseconds since the epoch; undefined before the first mark of the index. */
  readonly at: number | undefined;
  /** Which start of the replica printed it, from 1; undefined before the first mark. */
  readonly run: number | undefined;
  readonly text: string;
}

/** From this byte on, output came at that time, and (with `run`) from that run. */
interface Mark {
  readonly offset: number;
  readonly at: number;
  readonly run: number | undefined;
}

const pieceBytes = 256 * 1024;

/** A log file that may still grow, read from where the last reading ended. Holds it open, so that it can be read after its removal. */
export class LogFile {
  readonly #fd: number;
  readonly #indexPath: string;
  #decoder = new StringDecoder("utf8");
  /** Bytes read. */
  #position = 0;
  /** Where the line that is not complete yet began, and its text. */
  #lineStart = 0;
  #partial = "";

  private constructor(fd: number, indexPath: string) {
    this.#fd = fd;
    this.#indexPath = indexPath;
  }

  /** Undefined where there is no such file. */
  static open(path: string): LogFile | undefined {
    try {
      return new LogFile(openSync(path, "r"), `${path}.index`);
    } catch (error) {
      if (errnoOf(error) === "ENOENT") return undefined;
      throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** True where it became shorter than what was read: it was emptied, and begins anew. */
  get wasEmptied(): boolean {
    return fstatSync(this.#fd).size < this.#position;
  }

  restart(): void {
    this.#position = 0;
    this.#lineStart = 0;
    this.#partial = "";
    this.#decoder = new StringDecoder("utf8");
  }

  /** Goes on where `other` stands: this is the copy that was made of it before it was emptied. */
  continue(other: LogFile): void {
    this.#position = other.#position;
    this.#lineStart = other.#lineStart;
    this.#partial = other.#partial;
    this.#decoder = other.#decoder;
  }

  /** Complete lines since the last reading; `runBefore` is the run of what came before. */
  *lines(runBefore?: number): Generator<TimedLine> {
    let run = runBefore;
    const marks = readMarks(this.#indexPath);
    let next = 0;
    let at: number | undefined;
    const piece = Buffer.allocUnsafe(pieceBytes);
    for (;;) {
      const read = readSync(this.#fd, piece, 0, piece.length, this.#position);
      if (read === 0) return;
      this.#position += read;
      const texts = (this.#partial + this.#decoder.write(piece.subarray(0, read))).split("\n");
      this.#partial = texts.pop() ?? "";
      for (const text of texts) {
        for (let mark = marks[next]; mark !== undefined && mark.offset <= this.#lineStart; mark = marks[++next]) {
          at = mark.at;
          run = mark.run ?? run;
        }
        yield { at, run, text: withoutReturn(text) };
        this.#lineStart += Buffer.byteLength(text) + 1;
      }
    }
  }

  /** What stands after the last line end, once no more will come. */
  rest(last: Pick<TimedLine, "at" | "run">): TimedLine | undefined {
    const text = this.#partial + this.#decoder.end();
    this.#partial = "";
    return text === "" ? undefined : { ...last, text: withoutReturn(text) };
  }
}

function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

function readMarks(path: string): readonly Mark[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
  return text.split("\n").flatMap((line): Mark[] => {
    const [offset, at, run] = line.split(" ").map(Number);
    return offset === undefined || at === undefined || line === "" ? [] : [{ offset, at, run }];
  });
}
