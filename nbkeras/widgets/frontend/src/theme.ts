// Light or dark: as the page around the view is, whoever drew it.

/** Keep `data-theme` and `data-host` of a view's root in step with the page. Returns how to stop. */
export function followTheme(root: HTMLElement): () => void {
  const update = () => {
    root.dataset.theme = isDark() ? "dark" : "light";
    root.dataset.host = host();
  };
  update();
  const query = window.matchMedia?.("(prefers-color-scheme: dark)");
  query?.addEventListener("change", update);
  // JupyterLab and VS Code mark the body, Colab and marimo the root element.
  const observer = new MutationObserver(update);
  const options = { attributes: true, attributeFilter: MARKS };
  observer.observe(document.documentElement, options);
  observer.observe(document.body, options);
  return () => {
    query?.removeEventListener("change", update);
    observer.disconnect();
  };
}

const MARKS = ["data-jp-theme-light", "data-vscode-theme-kind", "theme", "class"];

function host(): string {
  if (document.body.dataset.jpThemeLight !== undefined) return "jupyter";
  return document.body.dataset.vscodeThemeKind !== undefined ? "vscode" : "other";
}

/** Whether the page is dark. */
export function isDark(): boolean {
  const jupyter = document.body.dataset.jpThemeLight;
  if (jupyter !== undefined) return jupyter === "false";
  const vscode = document.body.dataset.vscodeThemeKind;
  if (vscode !== undefined) return !vscode.endsWith("light");
  const page = document.documentElement;
  const colab = page.getAttribute("theme");
  if (colab !== null) return colab === "dark";
  if (page.classList.contains("dark") || document.body.classList.contains("dark")) return true;
  return window.matchMedia?.("(prefers-color-scheme: dark)").matches ?? false;
}
