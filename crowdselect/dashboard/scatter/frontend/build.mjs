// Bundles src/ into ../build/scatter.js and collects the licences of what went into it.
// The bundle starts with a hash of the sources, which a Python test compares with src/.
import { createHash } from "node:crypto"
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises"
import { build } from "esbuild"

const names = (await readdir("src")).filter((name) => !name.startsWith(".")).sort()
const digest = createHash("sha256")
for (const name of [...names.map((name) => `src/${name}`), "package.json"]) {
  digest.update(await readFile(name))
}
const hash = digest.digest("hex").slice(0, 16)

await mkdir("../build", { recursive: true })
const result = await build({
  entryPoints: ["src/index.ts"],
  outfile: "../build/scatter.js",
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  loader: { ".css": "text", ".glsl": "text" },
  banner: { js: `// Built by "npm run build" from frontend/src, sources ${hash}` },
  metafile: true,
})

const packages = new Set()
for (const input of Object.keys(result.metafile.inputs)) {
  const match = input.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)
  if (match) packages.add(match[1])
}
const licences = []
for (const name of [...packages].sort()) {
  const folder = `node_modules/${name}`
  const { version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"))
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry))
  const text = file ? (await readFile(`${folder}/${file}`, "utf8")).trim() : ""
  licences.push(`${name} ${version} (${license})\n\n${text}\n`)
}
await writeFile("../build/LICENSES.txt", licences.join(`\n${"-".repeat(72)}\n\n`))
const bytes = (await readFile("../build/scatter.js")).length
console.log(`build/scatter.js ${(bytes / 1000).toFixed(1)} kB from ${hash}: ${[...packages].join(", ")}`)
