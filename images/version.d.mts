/** Twelve hex digits that stand for the files of one image folder and for `inputs`. */
export function contentVersion(folder: string, inputs?: readonly string[]): string
