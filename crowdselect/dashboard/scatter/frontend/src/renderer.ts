// The drawing: every point into a layer that is kept, the selected ones on top of it.
import layerFragment from "./layer.frag.glsl"
import layerVertex from "./layer.vert.glsl"
import type { Points } from "./points"
import pointsFragment from "./points.frag.glsl"
import pointsVertex from "./points.vert.glsl"

/** From data to clip coordinates: (data - centre) * scale. */
export interface Camera {
  centre: [number, number]
  scale: [number, number]
}

export interface Style {
  size: number
  opacity: number
  outline: number
  outlineColour: [number, number, number]
}

type Uniforms<Name extends string> = Record<Name, WebGLUniformLocation | null>
const PALETTE_WIDTH = 256

export class Renderer {
  private readonly gl: WebGL2RenderingContext
  private readonly points: WebGLProgram
  private readonly pointUniforms: Uniforms<
    "centre" | "scale" | "size" | "palette" | "outline" | "outlineColour" | "opacity"
  >
  private readonly quad: WebGLProgram
  private readonly quadUniforms: Uniforms<"placement" | "layer">
  private readonly buffers: Record<"x" | "y" | "code" | "selected", WebGLBuffer>
  private readonly vertices: WebGLVertexArrayObject
  private readonly empty: WebGLVertexArrayObject
  private readonly palettes: Record<"base" | "selected", WebGLTexture>
  private readonly layer: WebGLTexture
  private readonly target: WebGLFramebuffer
  private readonly maxSize: number
  private n = 0
  private selected = 0
  private layerCamera: Camera | null = null

  /** Throws where there is no WebGL2. */
  constructor(private readonly canvas: HTMLCanvasElement) {
    const gl = canvas.getContext("webgl2", { antialias: false, powerPreference: "high-performance" })
    if (!gl) throw new Error("WebGL2 is not available")
    this.gl = gl
    this.maxSize = gl.getParameter(gl.MAX_TEXTURE_SIZE) as number
    this.points = program(gl, pointsVertex, pointsFragment)
    this.pointUniforms = uniforms(gl, this.points, [
      "centre", "scale", "size", "palette", "outline", "outlineColour", "opacity",
    ])
    this.quad = program(gl, layerVertex, layerFragment)
    this.quadUniforms = uniforms(gl, this.quad, ["placement", "layer"])
    this.buffers = {
      x: gl.createBuffer(),
      y: gl.createBuffer(),
      code: gl.createBuffer(),
      selected: gl.createBuffer(),
    }
    this.vertices = gl.createVertexArray()
    this.empty = gl.createVertexArray()
    this.palettes = { base: texture(gl, gl.NEAREST), selected: texture(gl, gl.NEAREST) }
    this.layer = texture(gl, gl.LINEAR)
    this.target = gl.createFramebuffer()
    gl.enable(gl.BLEND)
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA)
  }

  setPoints(points: Points): void {
    this.movePoints(points)
    this.setCodes(null)
    this.setSelected(null)
  }

  /** New places; codes and selection stay. */
  movePoints(points: Points): void {
    const { gl } = this
    this.n = points.n
    gl.bindVertexArray(this.vertices)
    for (const [location, name] of [[0, "x"], [1, "y"]] as const) {
      gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[name])
      gl.bufferData(gl.ARRAY_BUFFER, points[name], gl.STATIC_DRAW)
      gl.enableVertexAttribArray(location)
      gl.vertexAttribPointer(location, 1, gl.FLOAT, false, 0, 0)
    }
  }

  setCodes(codes: Uint8Array | Uint16Array | null): void {
    const { gl } = this
    gl.bindVertexArray(this.vertices)
    if (!codes) {
      gl.disableVertexAttribArray(2)
      gl.vertexAttribI4ui(2, 0, 0, 0, 0)
      return
    }
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers.code)
    gl.bufferData(gl.ARRAY_BUFFER, codes, gl.STATIC_DRAW)
    gl.enableVertexAttribArray(2)
    const type = codes.BYTES_PER_ELEMENT === 1 ? gl.UNSIGNED_BYTE : gl.UNSIGNED_SHORT
    gl.vertexAttribIPointer(2, 1, type, 0, 0)
  }

  setSelected(rows: Uint32Array | null): void {
    const { gl } = this
    this.selected = rows?.length ?? 0
    gl.bindVertexArray(this.vertices)
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.buffers.selected)
    if (rows) gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, rows, gl.DYNAMIC_DRAW)
  }

  /** One RGBA colour per code; alpha 0 hides the code's points. */
  setPalette(which: "base" | "selected", rgba: Uint8Array): void {
    const { gl } = this
    const height = Math.max(1, Math.ceil(rgba.length / 4 / PALETTE_WIDTH))
    const padded = new Uint8Array(PALETTE_WIDTH * height * 4)
    padded.set(rgba)
    gl.bindTexture(gl.TEXTURE_2D, this.palettes[which])
    gl.texImage2D(
      gl.TEXTURE_2D, 0, gl.RGBA, PALETTE_WIDTH, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, padded,
    )
  }

  /** Size of the drawing in device pixels; true if it changed, and the layer is lost. */
  resize(width: number, height: number): boolean {
    const { gl, canvas } = this
    const [w, h] = [width, height].map((side) => Math.min(this.maxSize, Math.max(1, side)))
    if (canvas.width === w && canvas.height === h && this.layerCamera) return false
    canvas.width = w
    canvas.height = h
    gl.bindTexture(gl.TEXTURE_2D, this.layer)
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, w, h, 0, gl.RGBA, gl.UNSIGNED_BYTE, null)
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target)
    gl.framebufferTexture2D(
      gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, this.layer, 0,
    )
    return true
  }

  /** Draw every point into the kept layer; `wait` returns only when the GPU has done it. */
  drawLayer(camera: Camera, style: Style, wait: boolean): void {
    const { gl } = this
    gl.bindFramebuffer(gl.FRAMEBUFFER, this.target)
    this.clear()
    this.usePoints(camera, style, this.palettes.base)
    gl.drawArrays(gl.POINTS, 0, this.n)
    this.layerCamera = camera
    if (wait) gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(4))
  }

  /** Put the kept layer, moved to where the camera now sees it, and the selected points on screen. */
  compose(camera: Camera, style: Style): void {
    const { gl } = this
    gl.bindFramebuffer(gl.FRAMEBUFFER, null)
    this.clear()
    const from = this.layerCamera ?? camera
    gl.useProgram(this.quad)
    gl.bindVertexArray(this.empty)
    gl.bindTexture(gl.TEXTURE_2D, this.layer)
    gl.uniform1i(this.quadUniforms.layer, 0)
    gl.uniform4f(
      this.quadUniforms.placement,
      camera.scale[0] / from.scale[0],
      camera.scale[1] / from.scale[1],
      (from.centre[0] - camera.centre[0]) * camera.scale[0],
      (from.centre[1] - camera.centre[1]) * camera.scale[1],
    )
    gl.drawArrays(gl.TRIANGLE_STRIP, 0, 4)
    if (this.selected === 0) return
    this.usePoints(camera, style, this.palettes.selected)
    gl.drawElements(gl.POINTS, this.selected, gl.UNSIGNED_INT, 0)
  }

  /** Give the graphics memory back now, not when the canvas is collected. */
  dispose(): void {
    this.gl.getExtension("WEBGL_lose_context")?.loseContext()
  }

  private clear(): void {
    const { gl, canvas } = this
    gl.viewport(0, 0, canvas.width, canvas.height)
    gl.clearColor(0, 0, 0, 0)
    gl.clear(gl.COLOR_BUFFER_BIT)
  }

  private usePoints(camera: Camera, style: Style, palette: WebGLTexture): void {
    const { gl, pointUniforms: u } = this
    gl.useProgram(this.points)
    gl.bindVertexArray(this.vertices)
    gl.bindTexture(gl.TEXTURE_2D, palette)
    gl.uniform1i(u.palette, 0)
    gl.uniform2f(u.centre, ...camera.centre)
    gl.uniform2f(u.scale, ...camera.scale)
    gl.uniform1f(u.size, style.size)
    gl.uniform1f(u.opacity, style.opacity)
    gl.uniform1f(u.outline, style.outline)
    gl.uniform3f(u.outlineColour, ...style.outlineColour)
  }
}

function program(gl: WebGL2RenderingContext, vertex: string, fragment: string): WebGLProgram {
  const linked = gl.createProgram()
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]] as const) {
    const shader = gl.createShader(type) as WebGLShader
    gl.shaderSource(shader, source)
    gl.compileShader(shader)
    gl.attachShader(linked, shader)
  }
  gl.linkProgram(linked)
  if (!gl.getProgramParameter(linked, gl.LINK_STATUS) && !gl.isContextLost()) {
    throw new Error(gl.getProgramInfoLog(linked) ?? "the shaders do not link")
  }
  return linked
}

function uniforms<Name extends string>(
  gl: WebGL2RenderingContext,
  of: WebGLProgram,
  names: readonly Name[],
): Uniforms<Name> {
  const found = names.map((name) => [name, gl.getUniformLocation(of, name)])
  return Object.fromEntries(found) as Uniforms<Name>
}

function texture(gl: WebGL2RenderingContext, filter: number): WebGLTexture {
  const made = gl.createTexture()
  gl.bindTexture(gl.TEXTURE_2D, made)
  for (const key of [gl.TEXTURE_MIN_FILTER, gl.TEXTURE_MAG_FILTER]) {
    gl.texParameteri(gl.TEXTURE_2D, key, filter)
  }
  for (const key of [gl.TEXTURE_WRAP_S, gl.TEXTURE_WRAP_T]) {
    gl.texParameteri(gl.TEXTURE_2D, key, gl.CLAMP_TO_EDGE)
  }
  return made
}
