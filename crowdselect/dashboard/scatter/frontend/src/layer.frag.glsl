#version 300 es
precision mediump float;
in vec2 place;
uniform sampler2D layer;
out vec4 result;

void main() {
  result = texture(layer, place);
}
