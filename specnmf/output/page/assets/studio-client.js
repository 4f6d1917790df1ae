"use strict";

/** Waits between attempts to reach the server, in milliseconds. */
const STUDIO_RETRIES = [500, 1000, 2000, 4000, 8000, 15000];

/** The refusal of a request, with its message. */
class StudioRefusal extends Error {}

/**
 * The studio's server, as the page sees it: the state, changes in order, and events.
 *
 * Changes are sent one at a time, each with the revision on which it is based. The body
 * of a change is a function that is called when it is sent, so that it includes later changes.
 *
 * Fires "state" (a new State, and whether the page shows it already), "job" (a job's
 * progress, or null), "waiting" (whether changes are pending), "gone" and "back" (the
 * server), "conflict" (another window changed the run, and its state was taken over),
 * "refused" (a sentence) and "busy".
 */
class StudioClient extends EventTarget {
  /** @param {string} base the studio's URL, with its token, up to the last slash */
  constructor(base) {
    super();
    this.base = base;
    this.state = null;
    this.revision = -1;
    this.job = null;
    this.gone = false;
    this.queue = [];
    this.sending = false;
    this.attempts = 0;
  }

  /** Whether changes are pending. */
  get waiting() {
    return this.queue.length > 0;
  }

  /** Whether the answer may change stems and notes, so that further changes have to wait. */
  get blocked() {
    return this.queue.some(({ quiet }) => !quiet);
  }

  /** Whether further changes are possible; if not, fires "busy". */
  isReady() {
    if (this.blocked) this.fire("busy");
    return !this.blocked;
  }

  /** Load the state, then listen. @returns {Promise<void>} */
  async start() {
    await this.load();
    this.listen();
  }

  /**
   * Send a change after the earlier ones.
   *
   * A waiting change to the same path is replaced.
   *
   * @param {string} path of the API, such as "edit"
   * @param {function(): Object} body returns the message when it is sent
   * @param {number} delay milliseconds in which later changes may replace it
   * @param {boolean} quiet whether the page already shows the result
   * @returns {Promise<Object|null>} the answer; null if it was refused or replaced
   */
  send(path, body = () => ({}), delay = 0, quiet = false) {
    return new Promise((resolve) => {
      const last = this.queue.at(-1);
      const due = Date.now() + delay;
      const entry = { path, body, resolve, due, quiet, sent: false };
      if (last && !last.sent && last.path === path && delay > 0) {
        this.queue.pop().resolve(null);
      } else if (last) {
        last.due = 0;
      }
      this.queue.push(entry);
      this.fire("waiting", true);
      this.work();
    });
  }

  /** Send the waiting changes in order. @returns {Promise<void>} */
  async work() {
    if (this.sending) return;
    this.sending = true;
    while (this.queue.length > 0) {
      const entry = this.queue[0];
      if (entry.due > Date.now()) {
        await studioSleep(Math.min(50, entry.due - Date.now()));
        continue;
      }
      entry.sent = true;
      const answer = await this.deliver(entry);
      if (this.queue[0] === entry) this.queue.shift();
      entry.resolve(answer);
    }
    this.sending = false;
    this.fire("waiting", false);
  }

  /** Send one change until the server has answered. */
  async deliver(entry) {
    try {
      const body = { ...entry.body(), revision: this.revision };
      const { status, answer } = await this.request(entry.path, body);
      return await this.take(status, answer, entry.quiet);
    } catch (error) {
      if (!(error instanceof StudioRefusal)) throw error;
      this.abandon();
      this.fire("refused", error.message);
      await this.load();
      return null;
    }
  }

  /** Handle the answer to a change. */
  async take(status, answer, quiet) {
    if (status === 409 && !this.isNewer(answer)) {
      throw new StudioRefusal(answer.error || "The server refuses this change.");
    }
    if (status === 409) {
      this.abandon();
      this.fire("conflict");
    }
    if (answer.contents) this.adopt(answer, quiet && status !== 409);
    else await this.load();
    return status === 409 ? null : answer;
  }

  /** Whether an answer has a revision that the page does not have. */
  isNewer(answer) {
    return "revision" in answer && answer.revision !== this.revision;
  }

  /** Drop the changes that wait behind the current one. */
  abandon() {
    for (const entry of this.queue.splice(1)) entry.resolve(null);
  }

  /** Adopt a state; show it unless further changes wait. */
  adopt(state, quiet = false) {
    this.revision = state.revision;
    if (!state.contents) return;
    this.state = state;
    this.setJob(state.job);
    if (this.queue.length < 2) this.fire("state", { state, quiet });
  }

  /** Get the state. @param {boolean} idle adopt it only if no change waits */
  async load(idle = false) {
    try {
      const { answer } = await this.request("state");
      if (answer.revision < this.revision || (idle && this.waiting)) return;
      this.adopt(answer);
    } catch (error) {
      if (!(error instanceof StudioRefusal)) throw error;
      this.fire("refused", error.message);
    }
  }

  /**
   * One request, repeated while the server does not answer.
   *
   * @returns {Promise<{status: number, answer: Object}>}
   * @throws {StudioRefusal} if the server refuses it
   */
  async request(path, body) {
    for (;;) {
      const response = await this.ask(path, body).catch(() => null);
      if (response) {
        this.setGone(false);
        return studioAnswer(response);
      }
      this.setGone(true);
      await studioSleep(this.pause());
    }
  }

  /** @returns {Promise<Response>} */
  ask(path, body) {
    if (body === undefined) return fetch(this.base + path, { cache: "no-store" });
    return fetch(this.base + path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  }

  /** Listen to the server's events, and reconnect after failures. */
  listen() {
    const events = new EventSource(this.base + "events");
    events.onmessage = (message) => {
      this.setGone(false);
      this.hear(JSON.parse(message.data));
    };
    events.onerror = () => {
      events.close();
      this.setGone(true);
      setTimeout(() => this.listen(), this.pause());
    };
  }

  /** Handle an event: progress, and whether the state is outdated. */
  hear({ job, revision, error }) {
    const busy = this.job || job;
    this.setJob(job);
    if (error) this.fire("refused", error);
    if (revision === this.revision || this.waiting) return;
    this.load(true);
    if (!busy) this.fire("conflict");
  }

  /** Store the progress of a job, or that none runs. */
  setJob(job) {
    const ended = this.job && !job;
    this.job = job || null;
    this.fire("job", { job: this.job, ended: Boolean(ended) });
  }

  /** Store whether the server answers. */
  setGone(gone) {
    if (!gone) this.attempts = 0;
    if (gone === this.gone) return;
    this.gone = gone;
    this.fire(gone ? "gone" : "back");
  }

  /** The wait before the next attempt, in milliseconds. */
  pause() {
    const last = STUDIO_RETRIES.length - 1;
    return STUDIO_RETRIES[Math.min(this.attempts++, last)];
  }

  /** Fire an event; its content is in `detail`. */
  fire(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Wait. @param {number} ms @returns {Promise<void>} */
function studioSleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The JSON of a response. @throws {StudioRefusal} if it is an error, 409 aside */
async function studioAnswer(response) {
  const answer = await response.json().catch(() => null);
  const { ok, status } = response;
  if ((ok || status === 409) && answer) return { status, answer };
  throw new StudioRefusal((answer && answer.error) || `The server answered with error ${status}.`);
}
