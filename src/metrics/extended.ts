/** Amounts of extended resources as kube-state-metrics has them. */

/** @see kube-state-metrics internal/store/utils.go sanitizeLabelName: whatever is no letter and no digit becomes `_` */
export function extendedAmounts(
  extended: Readonly<Record<string, number>>,
): { readonly resource: string; readonly unit: 'integer'; readonly value: number }[] {
  return Object.entries(extended).map(([name, value]) => ({
    resource: name.replace(/[^a-zA-Z0-9_]/g, '_'),
    unit: 'integer',
    value,
  }))
}
