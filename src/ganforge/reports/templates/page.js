"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const percent = (share) => `${Math.round(share * 100)} %`;

  // --- the slider over training time ---
  const slider = document.getElementById("time");
  if (slider) {
    const FRAMES_PER_SECOND = 8;
    const { frames, width, height } = data;
    const cellWidth = Math.ceil(width / 8) * 8; // sheets are padded to JPEG's blocks
    const play = document.getElementById("play");
    const seeds = [...document.querySelectorAll("#seeds li")].map((item) => ({
      canvas: item.querySelector("canvas"),
      fill: item.querySelector(".fill"),
      percent: item.querySelector(".percent"),
    }));
    const sheets = frames.map((frame) => Object.assign(new Image(), { src: frame.sheet }));
    let timer = 0;

    const draw = (sheet) =>
      seeds.forEach(({ canvas }, i) => {
        canvas.getContext("2d").drawImage(sheet, i * cellWidth, 0, width, height, 0, 0, width, height);
      });

    const show = (index) => {
      const frame = frames[index];
      const sheet = sheets[index];
      slider.value = index;
      if (sheet.complete) draw(sheet);
      else sheet.onload = () => Number(slider.value) === index && draw(sheet);
      const known = frame.verdicts.filter((verdict) => verdict !== null);
      const mean = known.length ? percent(known.reduce((sum, verdict) => sum + verdict, 0) / known.length) : "–";
      seeds.forEach((seed, i) => {
        const verdict = frame.verdicts[i] ?? null;
        seed.fill.style.transform = `scaleX(${verdict ?? 0})`;
        seed.percent.textContent = verdict === null ? "–" : percent(verdict);
        seed.canvas.setAttribute("aria-label", `seed ${i + 1} after ${frame.seen.toLocaleString("en")} pictures`);
      });
      document.getElementById("seen").textContent = frame.seen.toLocaleString("en");
      document.getElementById("clock").textContent = frame.time;
      document.getElementById("mean").textContent = mean;
      slider.setAttribute(
        "aria-valuetext",
        `${frame.seen.toLocaleString("en")} pictures seen, ${frame.time} minutes, ${mean} real on average`,
      );
    };

    const pause = () => {
      clearInterval(timer);
      timer = 0;
      play.classList.remove("playing");
      play.setAttribute("aria-label", "Play");
    };
    const start = () => {
      if (Number(slider.value) === frames.length - 1) show(0);
      play.classList.add("playing");
      play.setAttribute("aria-label", "Pause");
      timer = setInterval(() => {
        const next = Number(slider.value) + 1;
        if (next < frames.length) show(next);
        if (next >= frames.length - 1) pause();
      }, 1000 / FRAMES_PER_SECOND);
    };
    play.addEventListener("click", () => (timer ? pause() : start()));
    slider.addEventListener("input", () => {
      pause();
      show(Number(slider.value));
    });
    show(frames.length - 1);

    // plays once when it comes into view, unless the reader took over or wants no motion
    const stage = document.getElementById("seeds");
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (!entry.isIntersecting) return;
        watcher.disconnect();
        if (!timer) start();
      },
      { threshold: 0.6 },
    );
    if (frames.length > 1 && !matchMedia("(prefers-reduced-motion: reduce)").matches) {
      watcher.observe(stage);
      for (const event of ["pointerdown", "keydown"]) {
        document.querySelector(".controls").addEventListener(event, () => watcher.disconnect(), { once: true });
      }
    }
  }

  // --- charts: pointing at a moment shows its numbers in the legend ---
  for (const figure of document.querySelectorAll("[data-chart]")) {
    const { positions, values } = data.charts[figure.dataset.chart];
    const svg = figure.querySelector("svg");
    const guide = svg.querySelector(".guide");
    const numbers = figure.querySelectorAll(".legend b");
    const write = (index) => numbers.forEach((number, line) => (number.textContent = values[line][index]));
    if (!positions.length) continue;
    svg.addEventListener("pointermove", (event) => {
      const box = svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
      const index = positions.reduce((best, at, i) => (Math.abs(at - x) < Math.abs(positions[best] - x) ? i : best), 0);
      guide.setAttribute("transform", `translate(${positions[index]} 0)`);
      guide.removeAttribute("hidden");
      write(index);
    });
    svg.addEventListener("pointerleave", () => {
      guide.setAttribute("hidden", "");
      write(positions.length - 1);
    });
  }

  // --- copy buttons ---
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      await toClipboard(button.parentElement.querySelector("code").textContent);
      button.focus();
      button.textContent = "Copied";
      document.getElementById("said").textContent = "Copied";
      setTimeout(() => {
        button.textContent = "Copy";
        document.getElementById("said").textContent = "";
      }, 1600);
    });
  }
})();
