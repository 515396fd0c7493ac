import { connectEngine, type EngineClient } from "@ctrlplane/images";

/** What a stack has on the engine of the tests. In the end all of it is removed. */
export class StackOnEngine implements AsyncDisposable {
  readonly name: string;
  readonly #engine: EngineClient;

  constructor(name: string, socket: string) {
    this.name = name;
    this.#engine = connectEngine({ kind: "socket", path: socket });
  }

  /** Names of containers that run or are to run, without the stack's. */
  async containers(): Promise<string[]> {
    const found = await this.#engine.json<readonly { Names: string[]; Id: string }[]>({
      method: "GET",
      path: "/containers/json",
      query: { all: true, filters: this.#filters },
    });
    const names = found.map(({ Names }) => (Names[0] ?? "").slice(`/${this.name}-`.length));
    return names.filter((name) => !/\.old-[0-9a-f]{8}$/.test(name)).sort();
  }

  /** All of them, those that are records too. */
  async volumes(): Promise<string[]> {
    const { Volumes } = await this.#engine.json<{ Volumes: readonly { Name: string }[] | null }>({
      method: "GET",
      path: "/volumes",
      query: { filters: this.#filters },
    });
    return (Volumes ?? []).map((each) => each.Name);
  }

  get #filters(): { readonly label: readonly string[] } {
    return { label: [`pctl-stack=${this.name}`] };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const query = { all: true, filters: this.#filters };
    const left = await this.#engine.json<readonly { Id: string }[]>({ method: "GET", path: "/containers/json", query });
    for (const { Id } of left)
      await this.#engine.json({ method: "DELETE", path: `/containers/${Id}`, query: { force: true, v: true } });
    await this.#engine.json({ method: "POST", path: "/networks/prune", query: { filters: this.#filters } });
    for (const name of await this.volumes()) await this.#engine.json({ method: "DELETE", path: `/volumes/${name}` });
    await this.#engine.close();
  }
}
