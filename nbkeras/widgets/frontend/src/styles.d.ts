// A view imports its style sheet; esbuild writes it beside the view's bundle.
declare module "*.css";
