/** Huge pages, which containers ask for as a resource and emptyDirs are made of. @see Kubernetes pkg/apis/core/v1/helper */

/** Bytes of one page, by resource. */
export const HUGE_PAGES: Readonly<Record<string, number>> = { 'hugepages-2Mi': 2 ** 21, 'hugepages-1Gi': 2 ** 30 }

export type HugePagesMedium = 'HugePages' | 'HugePages-2Mi' | 'HugePages-1Gi'

export function isHugePages(medium: string): medium is HugePagesMedium {
  return medium.startsWith('HugePages')
}

/** Which of the resources that its containers ask for an emptyDir is made of, or why of none. */
export function hugePagesFor(
  medium: HugePagesMedium,
  asked: Iterable<string>,
): { readonly resource: string } | { readonly why: string } {
  const sizes = new Set([...asked].filter((name) => Object.hasOwn(HUGE_PAGES, name)))
  const [named = ''] = medium === 'HugePages' ? sizes : [medium.replace('HugePages', 'hugepages')]
  if (medium === 'HugePages' && sizes.size > 1)
    return { why: `containers ask for ${[...sizes].sort().join(' and ')}: say which, such as HugePages-2Mi` }
  return sizes.has(named) ? { resource: named } : { why: `no container asks for ${named || 'huge pages, such as hugepages-2Mi'}` }
}
