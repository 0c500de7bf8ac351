/** One way in which the world can fail, what is promised then, and a broken twin that shows that the test would notice. */
export interface Fault {
  /** As it is asked for on the command line. */
  readonly name: string;
  /** What is promised, in one sentence. */
  readonly claim: string;
  /** Strikes a server as it is shipped. Nothing may break. */
  strike(setting: Setting): Promise<Outcome>;
  readonly control: Control;
}

/** The same fault, and something deliberately broken: at least one promise must break. */
export interface Control {
  /** What is broken. */
  readonly says: string;
  strike(setting: Setting): Promise<Outcome>;
}

export interface Setting {
  /** The short form is for CI: half a minute each. */
  readonly form: "short" | "long";
  /** How long the soak lasts, if somebody says; absent: as long as the form has it. */
  readonly soakMinutes?: number;
  /** An empty directory of this run's own, taken away afterwards. */
  readonly directory: string;
  /** What is random is drawn from this, so that a run can be repeated. */
  readonly seed: number;
  /** Says how far it is; `share` lies between 0 and 1. */
  readonly progress: (what: string, share?: number) => void;
  /** Aborted when somebody wants it to stop. */
  readonly signal: AbortSignal;
}

export interface Outcome {
  /** What was measured, by name, with the unit in the name. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** Which promises broke, each as a sentence with what was seen; empty if none did. */
  readonly broken: readonly string[];
  /** Why it could not be tried on this machine: neither held nor broken. */
  readonly skipped?: string;
}
