// Bundles each src/views/<name>.ts to ../static/<name>.js, and the styles it imports to <name>.css.
// Built aside and then moved, so that a failed build leaves the last good one.
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const views = join(here, "src", "views");
const target = join(here, "..", "static");
const watch = process.argv.includes("--watch");
const fresh = watch ? target : `${target}.${process.pid}`;

const names = (await readdir(views)).filter((name) => name.endsWith(".ts"));
const options = {
  entryPoints: names.map((name) => join(views, name)),
  outdir: fresh,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
};

if (watch) {
  const context = await esbuild.context({ ...options, logLevel: "info" });
  await context.watch();
} else {
  await rm(fresh, { recursive: true, force: true });
  await mkdir(fresh, { recursive: true });
  try {
    await esbuild.build(options);
    await mkdir(target, { recursive: true });
    const built = await readdir(fresh);
    for (const name of built) await rename(join(fresh, name), join(target, name));
    for (const name of await readdir(target)) {
      if (/\.(js|css)$/.test(name) && !built.includes(name)) await rm(join(target, name));
    }
  } catch {
    process.exitCode = 1; // esbuild has said why
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
