"""What a browser's page does and sounds like, for tests."""

import base64
import time
from dataclasses import dataclass, field

import numpy as np
from made_stems import AMPLITUDE, BAND, frequency

#: Keeps when sources start, the elements that play, and what is heard: all that goes to
#: the speakers is put through a recorder that the page does not know of.
LISTEN = """
window.heard = {starts: [], blocks: [], elements: new Set()};
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () {
  heard.elements.add(this);
  return play.call(this);
};
const start = AudioBufferSourceNode.prototype.start;
AudioBufferSourceNode.prototype.start = function (when = 0, offset = 0, ...rest) {
  if (this.context instanceof AudioContext)
    heard.starts.push({when, offset, now: this.context.currentTime,
                       loop: this.loop, from: this.loopStart, to: this.loopEnd});
  return start.call(this, when, offset, ...rest);
};
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
  const recorded = this.context instanceof AudioContext
    && to === this.context.destination && !this.isTap;
  if (recorded) connect.call(this, tapOf(this.context));
  return connect.call(this, to, ...rest);
};
function tapOf(context) {
  if (context.tap) return context.tap;
  const tap = context.tap = context.createScriptProcessor(4096, 2, 2);
  tap.isTap = true;
  tap.onaudioprocess = (event) => {
    const input = event.inputBuffer;
    heard.rate = input.sampleRate;
    const all = [input.getChannelData(0), input.getChannelData(1)];
    heard.blocks.push(all.map((channel) => channel.slice()));
  };
  connect.call(tap, context.destination);
  return tap;
}
"""

#: A Float32Array as text, for evaluate() is slow with long lists.
PACK = """
const pack = (samples) => {
  const bytes = new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength);
  let text = '';
  for (let k = 0; k < bytes.length; k += 32768)
    text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  return btoa(text);
};
"""

RENDER = f"""async ([start, seconds]) => {{
  {PACK}
  const buffer = await specnmf.player.renderOffline(start, seconds);
  const channels = [...Array(buffer.numberOfChannels).keys()];
  return [channels.map((k) => pack(buffer.getChannelData(k))), buffer.sampleRate];
}}"""

TAPPED = f"""() => {{
  {PACK}
  const whole = (k) => {{
    const blocks = heard.blocks.map((block) => block[k]);
    const out = new Float32Array(blocks.length * 4096);
    blocks.forEach((block, n) => out.set(block, n * 4096));
    return pack(out);
  }};
  return [[whole(0), whole(1)], heard.rate || 0];
}}"""


@dataclass
class Watched:
    """A page, and what went wrong in it.

    Attributes
    ----------
    page : playwright page
        The page.
    own : tuple of str
        How the URLs begin that it may ask for.
    problems : list of str
        Console errors and warnings, exceptions, failed and foreign requests.
    requests : list of str
        The URLs that it asked for.
    """

    page: object
    own: tuple
    problems: list = field(default_factory=list)
    requests: list = field(default_factory=list)

    def __post_init__(self):
        page, problems = self.page, self.problems
        page.on("console", self._console)
        page.on("pageerror", lambda error: problems.append(f"exception: {error}"))
        page.on("requestfailed", lambda request: self._failed(request))
        page.on("request", lambda request: self._request(request.url))
        page.on("dialog", lambda dialog: self._dialog(dialog))

    def _console(self, message):
        ours = "ScriptProcessorNode is deprecated" in message.text
        if message.type in ("error", "warning") and not ours:
            where = message.location["url"][:200]
            self.problems.append(f"console: {message.text} ({where})")

    def _failed(self, request):
        if request.failure == "net::ERR_ABORTED" and request.resource_type == "media":
            return  # it was paused before it had come
        self.problems.append(f"failed: {request.url[:200]} {request.failure}")

    def _request(self, url):
        self.requests.append(url[:200])
        if not url.startswith((*self.own, "data:", "blob:")):
            self.problems.append(f"foreign request: {url[:200]}")

    def _dialog(self, dialog):
        self.problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def until(page, condition, seconds=60.0):
    """Wait for an expression to be true.

    Playwright's own way evaluates text in the page, which its policy forbids.
    """
    last = time.monotonic() + seconds
    while not page.evaluate(f"() => Boolean({condition})"):
        if time.monotonic() > last:
            raise TimeoutError(f"not in {seconds} s: {condition}")
        page.wait_for_timeout(20)


def times_until_it_goes_back(page, seconds=60.0):
    """Where the player is, over and over, until that is before where it was."""
    last = time.monotonic() + seconds
    times = [page.evaluate("specnmf.player.time")]
    while len(times) == 1 or times[-1] >= times[-2]:
        if time.monotonic() > last:
            raise TimeoutError(f"went on for {seconds} s: {times[-1]}")
        page.wait_for_timeout(20)
        times.append(page.evaluate("specnmf.player.time"))
    return times


def samples_of(packed):
    """Float32 channels, shape (n_channels, n_samples), and samples a second."""
    channels, sr = packed
    y = [np.frombuffer(base64.b64decode(text), np.float32) for text in channels]
    return np.stack(y), sr


def rendered(page, start=0.0, seconds=1.0):
    """What the page's mix sounds like in a span: samples, and their rate."""
    return samples_of(page.evaluate(RENDER, [start, seconds]))


def tapped(page):
    """What went to the speakers so far: samples, and their rate."""
    return samples_of(page.evaluate(TAPPED))


def level(y, sr, pitch):
    """The amplitude of a sine in each channel, from the middle of some samples."""
    n = y.shape[-1]
    window = np.hanning(n) / np.hanning(n).sum()
    turns = np.exp(-2j * np.pi * frequency(pitch) * np.arange(n) / sr)
    return 2 * np.abs((y * window) @ turns)


def stems_in(y, sr, names=tuple(BAND)):
    """The stems of `made_stems.BAND` that are heard at a tenth of their level."""
    pitches = [pitch for pitch, _ in BAND.values()]
    return {
        name
        for name, pitch in zip(names, pitches, strict=True)
        if level(y, sr, pitch).max() > AMPLITUDE / 10
    }
