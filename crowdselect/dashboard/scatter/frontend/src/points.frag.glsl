#version 300 es
precision highp float;
flat in vec4 colour;
uniform float size;
uniform float outline;
uniform vec3 outlineColour;
uniform float opacity;
out vec4 result;

void main() {
  float radius = size * 0.5;
  float away = length(gl_PointCoord - 0.5) * size;
  float alpha = clamp(radius - away, 0.0, 1.0);
  if (alpha <= 0.0) discard;
  float rim = outline > 0.0 ? clamp(away - (radius - outline - 0.5), 0.0, 1.0) : 0.0;
  alpha *= opacity;
  result = vec4(mix(colour.rgb, outlineColour, 0.6 * rim) * alpha, alpha);
}
