"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const n = data.pairs.length;
  const at = (id) => document.getElementById(id);
  const put = (id, text) => (at(id).textContent = text);
  const SIDES = ["A", "B"];

  // --- words ---
  const percent = (share) => `${Math.round(share * 100)}\u00a0%`;
  const verdictText = (share) => (share < 0.01 ? "<\u00a01\u00a0%" : share > 0.99 ? ">\u00a099\u00a0%" : percent(share));
  const halves = (x) => (x % 1 ? `${Math.floor(x) || ""}½` : String(x));
  const between = ([low, high]) => `${percent(low)} to ${percent(high)}`;

  // --- state: finished games and the one being played; a page reloaded in the middle goes on ---
  const KEY = `ganforge-turing-${data.id}`;
  let state = { past: [], answers: [] };
  const isGame = (answers) => Array.isArray(answers) && answers.length <= n && answers.every((a) => a === 0 || a === 1);
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    if (kept && isGame(kept.answers) && Array.isArray(kept.past) && kept.past.every(isGame)) state = kept;
  } catch {
    // private windows and some local files keep nothing; the game goes on without
  }
  const keep = () => {
    try {
      localStorage.setItem(KEY, JSON.stringify(state));
    } catch {
      // as above
    }
  };

  /** Numbers 0 … 1 from a seed (mulberry32): a game's order survives a reload. */
  const dice = (seed) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  /** The first game comes as the file has it; later ones change sides and, within a quarter of the ramp, the order. */
  const dealt = (game) => {
    const random = dice(data.seed + game);
    const cards = data.pairs.map((pair, i) => {
      const swap = game > 0 && random() < 0.5;
      const place = game > 0 ? (data.critic ? i / n + random() / 4 : random()) : i;
      return { pair, place, swap, real: swap ? 1 - pair.real : pair.real };
    });
    return cards.sort((a, b) => a.place - b.place);
  };
  let cards = dealt(state.past.length);

  // --- pictures ---
  const sheets = new Map();
  const sheet = ({ picture }) => {
    if (!sheets.has(picture)) sheets.set(picture, Object.assign(new Image(), { src: picture }));
    return sheets.get(picture);
  };
  /** Draw one of a pair's two pictures: side 0 is the left one of its file. */
  const draw = async (canvas, pair, side) => {
    const image = sheet(pair);
    canvas.width = data.width;
    canvas.height = data.height;
    canvas.wanted = image;
    await image.decode();
    if (canvas.wanted !== image) return; // the next pair came first
    const { width, height } = data;
    canvas.getContext("2d").drawImage(image, (side * image.naturalWidth) / 2, 0, width, height, 0, 0, width, height);
  };

  /** As large as fits, a whole number of the screen's pixels for each of the picture's. */
  const fit = () => {
    const room = Math.min((document.documentElement.clientWidth - 48) / 2 - 6, innerWidth < 768 ? 320 : 448);
    const height = Math.max(120, innerHeight - (innerWidth < 768 ? 420 : 450));
    let factor = Math.min(room / data.width, height / data.height);
    const dots = factor * devicePixelRatio;
    if (dots >= 2) factor = Math.floor(dots) / devicePixelRatio;
    const { style } = document.querySelector(".table");
    style.setProperty("--w", `${data.width * factor}px`);
    style.setProperty("--h", `${data.height * factor}px`);
  };

  // --- one pair ---
  const figures = [...document.querySelectorAll(".card")];
  const PARTS = ["canvas", "hint", "truth", "name", "verdict", "fill", "percent", "pick"];
  const parts = (figure) =>
    Object.fromEntries(PARTS.map((name) => [name, figure.querySelector(name === "canvas" ? name : `.${name}`)]));
  let phase = "asking";

  const marks = (list, answers) => {
    list.replaceChildren(
      ...cards.map((_, i) => {
        const item = document.createElement("li");
        if (i < answers.length) item.className = answers[i] ? "right" : "wrong";
        else if (i === answers.length && phase === "asking") item.className = "now";
        return item;
      }),
    );
  };
  const streaks = (answers) => {
    let streak = 0;
    let best = 0;
    for (const answer of answers) best = Math.max(best, (streak = answer ? streak + 1 : 0));
    return { streak, best, right: answers.reduce((sum, answer) => sum + answer, 0) };
  };
  const scores = () => {
    const { streak, best, right } = streaks(state.answers);
    put("right", right);
    put("asked", state.answers.length);
    put("streak", streak);
    put("best", best);
    if (data.critic) {
      put("critic", halves(cards.slice(0, state.answers.length).reduce((sum, card) => sum + card.pair.critic, 0)));
      put("judged", state.answers.length);
    }
    marks(at("marks"), state.answers);
  };

  const ask = (focus = true) => {
    if (state.answers.length === n) return finish(focus);
    phase = "asking";
    const number = state.answers.length;
    const { pair, swap } = cards[number];
    at("end").hidden = true;
    at("game").hidden = false;
    at("game").classList.remove("told-now", "was-right", "was-wrong");
    put("count", `Pair ${number + 1} of ${n}`);
    put("question", "Which one is real?");
    put("told", "One is real, the other was made by the generator.");
    put("said", "");
    at("next").hidden = true;
    figures.forEach((figure, side) => {
      const { canvas, hint, truth, verdict, pick } = parts(figure);
      figure.classList.remove("is-real", "is-made");
      hint.hidden = false;
      truth.hidden = true;
      if (verdict) verdict.hidden = true;
      pick.disabled = false;
      draw(canvas, pair, swap ? 1 - side : side);
    });
    if (number + 1 < n) sheet(cards[number + 1].pair);
    scores();
    if (focus) at("question").focus({ preventScroll: true });
  };

  const critics = (right, { critic, verdicts }) => {
    if (!verdicts) return "";
    if (critic === 0.5) return "The critic could not tell: it finds both equally real.";
    const too = (critic === 1) === right ? "too" : "";
    if (critic === 1) return `The critic would have been right${too && " too"}.`;
    return `The critic would have been fooled${too && " too"}.`;
  };
  const answer = (side) => {
    if (phase !== "asking") return;
    const card = cards[state.answers.length];
    const { pair, swap, real } = card;
    const right = side === real;
    state.answers.push(right ? 1 : 0);
    keep();
    phase = "told";
    const { streak } = streaks(state.answers);
    const headline = right ? (streak > 2 ? `Right – ${streak} in a row` : "Right") : "It fooled you";
    const told = `${SIDES[real]} is real. ${critics(right, pair)}`;
    const verdicts = pair.verdicts && (swap ? [...pair.verdicts].reverse() : pair.verdicts);
    put("question", headline);
    put("told", told);
    figures.forEach((figure, i) => {
      const { hint, truth, name, verdict, fill, percent: share, pick } = parts(figure);
      figure.classList.add(i === real ? "is-real" : "is-made");
      hint.hidden = true;
      truth.hidden = false;
      name.textContent = (i === real ? "Real" : "Made") + (i === side ? " – your pick" : "");
      pick.disabled = true;
      if (!verdicts) return;
      verdict.hidden = false;
      fill.style.width = `${verdicts[i] * 100}%`;
      share.textContent = `D: ${verdictText(verdicts[i])} real`;
    });
    at("game").classList.add("told-now", right ? "was-right" : "was-wrong");
    put("next", state.answers.length === n ? "See how you did" : "Next pair");
    at("next").hidden = false;
    scores();
    const [a, b] = verdicts ? verdicts.map(verdictText) : [];
    const judged = verdicts ? `The critic finds A ${a} real and B ${b}.` : "";
    put("said", `${headline}. ${told} ${judged} ${at("right").textContent} of ${state.answers.length} right.`);
    at("next").focus({ preventScroll: true });
  };

  // --- the end ---
  const meaning = ([low, high]) => {
    const coin = "At 50\u00a0% you could not tell real from made";
    if (high < 0.5) return ["You can tell", `${coin}; your whole interval lies below, so you can.`];
    if (low > 0.5) return ["Realer than real", `${coin}; your whole interval lies above: made ones look more real to you.`];
    return ["Could be a coin", `${coin}, and your interval holds 50\u00a0%: guessing might have done as well.`];
  };
  const rate = (who, role, fooled, interval) => {
    const row = document.createElement("div");
    row.className = "rate";
    const [name, line, text, reach, point] = ["p", "div", "p", "span", "span"].map((tag) => document.createElement(tag));
    name.textContent = who;
    line.className = `line ${role}`;
    reach.className = "reach";
    reach.style.left = `${interval[0] * 100}%`;
    reach.style.right = `${100 - interval[1] * 100}%`;
    point.className = "point";
    point.style.left = `${(fooled / n) * 100}%`;
    line.append(reach, point);
    text.textContent = `${percent(fooled / n)}, fooled ${halves(fooled)} times of ${n}; interval ${between(interval)}`;
    row.append(name, line, text);
    return row;
  };
  const strip = (list, shown) => {
    list.replaceChildren(
      ...shown.map(({ pair }) => {
        const [item, both, caption, seed] = ["li", "div", "p", "b"].map((tag) => document.createElement(tag));
        for (const side of [1 - pair.real, pair.real]) {
          const canvas = document.createElement("canvas");
          canvas.setAttribute("role", "img");
          canvas.setAttribute("aria-label", side === pair.real ? "the real one" : `made from seed ${pair.seed}`);
          draw(canvas, pair, side);
          both.append(canvas);
        }
        seed.textContent = pair.seed;
        caption.append("seed ", seed);
        if (pair.verdicts) caption.append(` · D: ${verdictText(pair.verdicts[1 - pair.real])}`);
        item.append(both, caption);
        return item;
      }),
    );
    list.parentElement.hidden = !shown.length;
  };
  const times = (count) => (count === 1 ? "one pair" : `${count} pairs`);
  const finish = (focus) => {
    phase = "done";
    const { right, best } = streaks(state.answers);
    const fooled = n - right;
    const interval = data.intervals[fooled];
    const [title, means] = meaning(interval);
    at("game").hidden = true;
    at("end").hidden = false;
    put("result", `${title}: ${right} of ${n} right`);
    const share = `${percent(fooled / n)} (95\u00a0% interval ${between(interval)})`;
    put("sentence", `The generator fooled you in ${fooled} of ${n} pairs, ${share}. ${means}`);
    marks(at("tally"), state.answers);
    at("rates").replaceChildren(rate("You", "forger", fooled, interval));
    if (data.critic) {
      const theirs = data.critic.right;
      at("rates").append(rate("The critic", "critic", n - theirs, data.critic.interval));
      const ahead = right > theirs ? "You beat the critic" : "The critic beats you";
      const points = `${halves(Math.max(right, theirs))} to ${halves(Math.min(right, theirs))}`;
      put("versus", `${right === theirs ? "You and the critic are level" : ahead}, ${points}. Your best streak: ${best}.`);
    } else put("versus", `Your best streak: ${best}.`);
    const wrong = cards.filter((_, i) => !state.answers[i]);
    const seen = cards.filter((_, i) => state.answers[i]);
    put("fooled-title", `The ${times(fooled)} that fooled you`);
    put("seen-title", `The ${times(right)} that you saw through`);
    strip(at("fooled"), wrong);
    strip(at("seen"), seen);
    at("command").replaceChildren(
      ...[...data.command, (wrong[0] ?? seen[0]).pair.seed].flatMap((word) => {
        const span = document.createElement("span"); // no break inside --an-option
        span.textContent = word;
        return [span, " "];
      }),
    );
    at("past").hidden = !state.past.length;
    const games = [...state.past, state.answers].map((answers) => `${streaks(answers).right} of ${n}`);
    put("past", `Your games: ${games.join(", ")}. Only the first one measures: after it you have seen the answers.`);
    put("said", "");
    if (focus) {
      at("result").focus({ preventScroll: true });
      scrollTo(0, 0);
    }
  };
  const again = () => {
    state.past.push(state.answers);
    state.answers = [];
    keep();
    cards = dealt(state.past.length);
    scrollTo(0, 0);
    ask();
  };
  const resultText = () => {
    const { right, best } = streaks(state.answers);
    const fooled = n - right;
    const game = state.past.length ? `, game ${state.past.length + 1}` : "";
    const lines = [
      `I was the critic of a GAN (ganforge, model ${data.model}${game}): ${right} of ${n} right, best streak ${best}.`,
      `Fooled: ${percent(fooled / n)} (95 % interval ${between(data.intervals[fooled])}, n = ${n}; 50 % = a coin).`,
    ];
    if (data.critic) {
      const theirs = n - data.critic.right;
      lines.push(`The critic network: ${percent(theirs / n)} (${between(data.critic.interval)}).`);
    }
    return [...lines, state.answers.map((a) => (a ? "🟦" : "🟧")).join("")].join("\n").replaceAll("\u00a0", " ");
  };
  const copy = async () => {
    await toClipboard(resultText());
    at("copy").focus();
    put("copy", "Copied");
    put("said", "Copied");
    setTimeout(() => {
      put("copy", "Copy result");
      put("said", "");
    }, 1600);
  };

  // --- hands ---
  figures.forEach((figure, side) => figure.querySelector(".pick").addEventListener("click", () => answer(side)));
  at("next").addEventListener("click", () => ask());
  at("again").addEventListener("click", again);
  at("copy").addEventListener("click", copy);
  document.addEventListener("keydown", (event) => {
    if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || phase === "done") return;
    const { key, target } = event;
    const letters = at("game").contains(document.activeElement); // only where the game has the focus (WCAG 2.1.4)
    if (phase === "asking") {
      const side = { ArrowLeft: 0, ArrowRight: 1, ...(letters && { a: 0, A: 0, b: 1, B: 1 }) }[key];
      if (side === undefined) return;
      event.preventDefault();
      answer(side);
    } else if (key === "ArrowRight" || ((key === "Enter" || key === " ") && !target.closest("button, summary"))) {
      event.preventDefault();
      ask();
    }
  });
  addEventListener("resize", fit);
  fit();
  at("how").hidden = false;
  ask(false);
  at("game").focus({ preventScroll: true });
})();
