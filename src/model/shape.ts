/**
 * The Go type behind a value, as a JSON schema. It decides which zero values `-o yaml` shows, and what a jsonpath finds
 * under a key that the JSON leaves out.
 */
export interface Shape {
  $ref?: string;
  type?: string;
  format?: string;
  items?: Shape;
  properties?: Readonly<Record<string, Shape>>;
  additionalProperties?: Shape;
  required?: readonly string[];
  'x-versions'?: readonly string[];
  /** A pointer in Go: nothing is not the same as zero. */
  'x-nullable'?: boolean;
  /** A struct that Go holds itself, not a pointer to it: a jsonpath prints it as JSON, even where that is a text. */
  'x-by-value'?: boolean;
}

/** A named type and the definitions that its references point into. */
export interface TypedShape {
  shape: Shape;
  definitions: Readonly<Record<string, Shape>>;
  /** Go holds the struct itself, where it else has a pointer: a jsonpath of all of it is JSON. */
  isValue?: boolean;
}
