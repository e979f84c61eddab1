// What a view uses of anywidget's model: its types, and where it is mounted.
export type { AnyModel, Initialize, Render } from "@anywidget/types";
