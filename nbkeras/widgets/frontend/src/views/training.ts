import "./training.css";
import { html } from "../dom";
import type { Render } from "../model";
import { followTheme } from "../theme";

const render: Render = ({ el }) => {
  const root = html("section", { class: "nbk nbk-training" });
  el.append(root);
  return followTheme(root);
};

export default { render };
