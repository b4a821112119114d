"use strict";
const toClipboard = async (text) => {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = Object.assign(document.createElement("textarea"), { value: text });
    document.body.append(area);
    area.select();
    document.execCommand("copy"); // where the browser keeps its clipboard from local files
    area.remove();
  }
};
