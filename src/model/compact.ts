/**
 * An object without the fields that are `undefined`, so that an absent field is absent in every comparison and text.
 */
export function compact<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  const present: Partial<Record<keyof T, unknown>> = {}
  for (const key of Object.keys(fields) as (keyof T)[]) {
    if (fields[key] !== undefined) present[key] = fields[key]
  }
  return present as T
}
