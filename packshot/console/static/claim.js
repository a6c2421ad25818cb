// Holding an item: claimed when its page opens, renewed while it is open, released when it closes.
import { ask, csrf } from "./base.js";

export class Claim {
  /** `lost` is called once when the item is not ours any more. */
  constructor(id, lost) {
    this.id = id;
    this.lost = lost;
    this.path = `/api/v1/reviews/${id}`;
    this.hold = null;
    this.started = Date.now();
    this.closing = () => this.release();
    this.waking = () => document.visibilityState === "visible" && this.hold && this.renew();
  }

  /** Claim it; throws a Refusal when somebody else was faster. */
  async take() {
    const answer = await ask("POST", `${this.path}/claim`);
    this.hold = { token: answer.token, version: answer.version };
    this.until = Date.parse(answer.until);
    addEventListener("pagehide", this.closing);
    addEventListener("visibilitychange", this.waking);
    addEventListener("online", this.waking);
    this.plan();
    return answer;
  }

  plan() {
    clearTimeout(this.timer);
    // A third of what is left: two renewals may be lost.
    this.timer = setTimeout(() => this.renew(), Math.max(2000, (this.until - Date.now()) / 3));
  }

  async renew() {
    if (!this.hold) return;
    try {
      const answer = await ask("POST", `${this.path}/renew`, this.hold);
      this.until = Date.parse(answer.until);
    } catch (error) {
      if (error.status === 409 || error.status === 404) {
        this.forget();
        this.lost(error);
        return;
      }
    }
    if (this.hold) this.plan();
  }

  get seconds() {
    return (Date.now() - this.started) / 1000;
  }

  /** Stop renewing: the item was decided, or is lost. */
  forget() {
    clearTimeout(this.timer);
    this.hold = null;
    removeEventListener("pagehide", this.closing);
    removeEventListener("visibilitychange", this.waking);
    removeEventListener("online", this.waking);
  }

  release() {
    if (!this.hold) return;
    navigator.sendBeacon(`${this.path}/release`, new URLSearchParams({ csrf, token: this.hold.token, version: this.hold.version }));
    this.forget();
  }
}
