// The table that keys walk through. Text from data is only ever put in as text.
// The current row is the browser's until the server has seen its last movement: `seq` counts them.
const WAIT = 90
const held = new WeakMap()

export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector("[data-grid]")
  const own = held.get(root) ?? { seq: 0, version: "", current: "" }
  held.set(root, own)
  own.component = component
  if (own.version !== data.version) draw(root, own, data)
  if (data.seq >= own.seq) {
    own.seq = data.seq
    mark(root, own, data.current)
  } else mark(root, own, own.current)
  root.style.setProperty("--height", `${data.height}px`)
  if (data.focus && document.activeElement === document.body)
    own.table.focus({ preventScroll: true })
}

function draw(root, own, data) {
  const fresh = element("div", { className: "scroll" })
  const table = element("table", { tabIndex: 0 })
  table.setAttribute("role", "grid")
  table.setAttribute("aria-label", data.label)
  table.setAttribute("aria-rowcount", data.total + 1)
  table.append(head(data), body(root, own, data))
  fresh.append(table)
  const at = root.querySelector(".scroll")?.scrollTop ?? 0
  const focused = own.table !== undefined && root.getRootNode().activeElement === own.table
  root.querySelector(".scroll").replaceWith(fresh)
  if (own.page === data.start) fresh.scrollTop = at
  Object.assign(own, { version: data.version, table, page: data.start, rows: data.rows })
  if (focused) table.focus({ preventScroll: true })
  table.onkeydown = (event) => key(event, root, own)
  legend(root, data)
  tags(root, own, data)
}

function legend(root, data) {
  const parts = data.columns.flatMap((column) => column.parts)
  root
    .querySelector(".legend")
    .replaceChildren(...parts.flatMap((part, i) => [swatch(data, i), element("span", { textContent: part })]))
}

function head(data) {
  const line = element("tr")
  line.setAttribute("aria-rowindex", 1)
  for (const column of data.columns) {
    const cell = element("th", { className: column.kind })
    cell.scope = "col"
    cell.textContent = column.name
    line.append(cell)
  }
  const found = element("thead")
  found.append(line)
  return found
}

function body(root, own, data) {
  const found = element("tbody")
  data.rows.forEach((row, i) => {
    const line = element("tr", { id: `row-${i}`, className: row.reviewed ? "reviewed" : "" })
    line.setAttribute("aria-rowindex", data.start + i + 2)
    line.dataset.id = row.id
    row.cells.forEach((value, c) => line.append(cell(value, data.columns[c], data)))
    line.onclick = () => {
      own.table.focus({ preventScroll: true })
      move(root, own, row.id)
    }
    line.ondblclick = () => act(own, "open")
    found.append(line)
  })
  return found
}

function cell(value, column, data) {
  const found = element("td", { className: column.kind })
  if (column.kind !== "bars") {
    found.append(element("div", { textContent: value }))
    return found
  }
  const bar = element("div", { className: "bar", title: value.words })
  bar.setAttribute("role", "img")
  bar.setAttribute("aria-label", value.words)
  value.shares.forEach((share, i) => {
    const part = swatch(data, i)
    part.style.width = `${Math.abs(share) * 100}%`
    if (share < 0) part.classList.add("against")
    bar.append(part)
  })
  found.append(bar)
  return found
}

function swatch(data, i) {
  const found = element("i")
  found.style.background = data.colours[i % data.colours.length]
  return found
}

function mark(root, own, id) {
  own.current = id
  for (const line of own.table.tBodies[0].rows) {
    const here = line.dataset.id === id
    line.setAttribute("aria-selected", here)
    if (!here) continue
    own.table.setAttribute("aria-activedescendant", line.id)
    keepInSight(root.querySelector(".scroll"), line, own.table.tHead.offsetHeight)
  }
}

function keepInSight(scroll, line, covered) {
  const top = line.offsetTop - covered
  const bottom = line.offsetTop + line.offsetHeight - scroll.clientHeight
  if (scroll.scrollTop > top) scroll.scrollTop = top
  else if (scroll.scrollTop < bottom) scroll.scrollTop = Math.min(bottom, top)
}

function move(root, own, id) {
  if (id === own.current) return
  own.seq += 1
  mark(root, own, id)
  clearTimeout(own.timer)
  own.timer = setTimeout(tell, WAIT, own)
}

function tell(own) {
  own.component.setStateValue("at", { id: own.current, seq: own.seq })
}

function act(own, kind, value = "") {
  clearTimeout(own.timer)
  own.seq += 1
  own.component.setTriggerValue("act", { kind, value, id: own.current, seq: own.seq })
}

function key(event, root, own) {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  const ids = own.rows.map((row) => row.id)
  const at = ids.indexOf(own.current)
  const step = (by) =>
    ids[at + by] === undefined ? act(own, "step", String(by)) : move(root, own, ids[at + by])
  const letters = { p: "pin", b: "ban", m: "review" }
  const does = {
    ArrowDown: () => step(1),
    ArrowUp: () => step(-1),
    j: () => step(1),
    k: () => step(-1),
    PageDown: () => act(own, "page", "1"),
    PageUp: () => act(own, "page", "-1"),
    Home: () => move(root, own, ids[0]),
    End: () => move(root, own, ids[ids.length - 1]),
    Enter: () => act(own, "open"),
    t: () => ask(root),
  }
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key
  if (letters[letter]) act(own, letters[letter])
  else if (does[letter]) does[letter]()
  else return
  event.preventDefault()
  event.stopPropagation() // the page has keys of its own, and would act a second time
}

function ask(root) {
  const form = root.querySelector("form")
  form.hidden = false
  form.elements.tag.focus()
}

function tags(root, own, data) {
  const form = root.querySelector("form")
  const close = () => {
    form.hidden = true
    form.elements.tag.value = ""
    own.table.focus()
  }
  form.querySelector("datalist").replaceChildren(
    ...data.tags.map((tag) => element("option", { value: tag })),
  )
  form.onsubmit = (event) => {
    event.preventDefault()
    const tag = form.elements.tag.value.trim()
    close()
    if (tag) act(own, "tag", tag)
  }
  form.onkeydown = (event) => {
    event.stopPropagation()
    if (event.key === "Escape") close()
  }
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties)
}
