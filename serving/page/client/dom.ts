/** The element of the page with this id. @throws Error when markup and code have drifted apart */
export function byId<Type extends HTMLElement>(id: string, type: new () => Type): Type {
  const found = document.getElementById(id);
  if (!(found instanceof type)) throw new Error(`The page has no ${type.name} #${id}.`);
  return found;
}

type Child = Node | string | null;

/** Puts an element together: properties, then children; `null` children are left out. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  properties: Partial<HTMLElementTagNameMap[Tag]> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Tag] {
  const made = document.createElement(tag);
  Object.assign(made, properties);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** The same for SVG, whose properties are attributes. */
export function svg(tag: string, attributes: Record<string, string>, ...children: readonly Element[]): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Sets custom properties that the stylesheet computes with: the page's policy forbids style attributes, not this. */
export function styled<Type extends HTMLElement>(target: Type, values: Record<`--${string}`, number>): Type {
  for (const [name, value] of Object.entries(values)) target.style.setProperty(name, String(value));
  return target;
}

/** Tells people who listen to the page instead of looking at it. */
export function announce(text: string): void {
  byId('status', HTMLParagraphElement).textContent = text;
}
