/** Why the host opened no channel. */
export interface Refusal {
  readonly isForbidden: boolean;
  /** As sshd says it: `Connection refused`, say. */
  readonly reason: string;
}
