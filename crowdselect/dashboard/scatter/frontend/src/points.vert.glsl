#version 300 es
precision highp float;
layout(location = 0) in float x;
layout(location = 1) in float y;
layout(location = 2) in uint code;
uniform vec2 centre;
uniform vec2 scale;
uniform float size;
uniform sampler2D palette;
flat out vec4 colour;

void main() {
  colour = texelFetch(palette, ivec2(int(code) & 255, int(code) >> 8), 0);
  bool hidden = colour.a == 0.0;
  gl_Position = hidden ? vec4(2.0, 2.0, 0.0, 1.0) : vec4((vec2(x, y) - centre) * scale, 0.0, 1.0);
  gl_PointSize = size;
}
