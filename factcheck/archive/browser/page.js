// What the child asks a page, in a world of its own: no script of the page can change what these words mean.
// Names may still be covered by elements (an <img name="body">), so that every getter is taken from its prototype.
(() => {
  const getter = (type, name) => {
    const get = Object.getOwnPropertyDescriptor(type.prototype, name).get;
    return (of) => get.call(of);
  };
  const bodyOf = getter(Document, "body");
  const rootOf = getter(Document, "documentElement");
  const doctypeOf = getter(Document, "doctype");
  const titleOf = getter(Document, "title");
  const typeOf = getter(Document, "contentType");
  const innerText = getter(HTMLElement, "innerText");
  const outerHTML = getter(Element, "outerHTML");
  const shadowOf = getter(Element, "shadowRoot");
  const parentOf = getter(Node, "parentNode");
  const childrenOf = getter(Node, "childNodes");
  const styleOf = getter(HTMLElement, "style");
  const idOf = getter(Element, "id");
  const attribute = (element, name) => Element.prototype.getAttribute.call(element, name);
  const boxOf = (element) => Element.prototype.getBoundingClientRect.call(element);
  const allIn = (root) => root.querySelectorAll === undefined ? [] : (root instanceof Document
    ? Document.prototype.querySelectorAll : root instanceof ShadowRoot
      ? DocumentFragment.prototype.querySelectorAll : Element.prototype.querySelectorAll).call(root, "*");

  function* elements(root, most) {
    const roots = [root];
    let count = 0;
    while (roots.length) {
      for (const element of allIn(roots.pop())) {
        if (++count > most) return;
        yield element;
        const shadow = shadowOf(element);
        if (shadow) roots.push(shadow);
      }
    }
  }

  // innerText says nothing of shadow trees: what holds one is walked as it is shown, part by part.
  const shownText = (body) => {
    const holders = new Set();
    for (const element of elements(document, 50000)) {
      let up = shadowOf(element) || element instanceof HTMLSlotElement ? element : null;
      while (up && !holders.has(up)) {
        holders.add(up);
        up = up instanceof ShadowRoot ? up.host : parentOf(up);
      }
    }
    if (!holders.size) return innerText(body);
    const said = [];
    let left = 200000;
    const walk = (node, depth) => {
      if (--left < 0 || depth > 500) return;
      if (node instanceof Text) { said.push(node.data.replace(/\s+/g, " ")); return; }
      if (!(node instanceof Element)) return;
      const display = getComputedStyle(node).display;
      if (display === "none") return;
      const apart = !/^(inline|contents|ruby)/.test(display);
      if (apart) said.push("\n");
      const shadow = shadowOf(node);
      const given = node instanceof HTMLSlotElement ? node.assignedNodes({ flatten: true }) : [];
      if (shadow) for (const child of childrenOf(shadow)) walk(child, depth + 1);
      else if (given.length) for (const child of given) walk(child, depth + 1);
      else if (holders.has(node)) for (const child of childrenOf(node)) walk(child, depth + 1);
      else if (node instanceof HTMLElement) said.push(innerText(node));
      if (apart) said.push("\n");
    };
    walk(body, 0);
    return said.join("").replace(/[ \t]*\n[ \t]*/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
  };

  const text = (most) => {
    const body = bodyOf(document);
    if (!body) return { text: "", cut: false };
    const said = body instanceof HTMLElement ? shownText(body) : body.textContent;
    return { text: said.slice(0, most), cut: said.length > most };
  };

  // Of XML without a style, Chromium makes a page of its own around it.
  const drawnByTheBrowser = () => !/^(text\/html|application\/xhtml\+xml)$/.test(typeOf(document))
    && Document.prototype.getElementById.call(document, "webkit-xml-viewer-source-xml") !== null;

  const about = () => ({
    type: typeOf(document),
    viewer: drawnByTheBrowser(),
    title: titleOf(document).slice(0, 1000),
    address: location.href.slice(0, 8000),
  });

  const dom = (most) => {
    const doctype = doctypeOf(document);
    const head = doctype ? new XMLSerializer().serializeToString(doctype) + "\n" : "";
    const root = rootOf(document);
    const markup = root ? head + outerHTML(root) : head;
    return markup.length > most ? null : markup;
  };

  // The root, or where it is the page's own box that scrolls, that.
  const scroller = () => {
    const root = Object.getOwnPropertyDescriptor(Document.prototype, "scrollingElement").get.call(document);
    if (root && root.scrollHeight > innerHeight + 50) return root;
    for (const element of Document.prototype.elementsFromPoint.call(document, innerWidth / 2, innerHeight / 2)) {
      if (element.scrollHeight > element.clientHeight + 50 && element.clientHeight > innerHeight / 2
        && /auto|scroll/.test(getComputedStyle(element).overflowY)) return element;
    }
    return root;
  };

  const scrollTo = (top) => {
    const box = scroller();
    if (!box) return true;
    box.scrollTo({ top, behavior: "instant" });
    return box.scrollTop + box.clientHeight >= box.scrollHeight - 2;
  };

  const CONSENT = /consent|cookie|gdpr|dsgvo|privacy|cmp|onetrust|didomi|paywall|newsletter|overlay|modal|popup|interstitial/i;

  const words = (element) => {
    const id = String(idOf(element)).replace(/\s+/g, " ").slice(0, 40);
    const first = (attribute(element, "class") || "").trim().split(/\s+/)[0].slice(0, 40);
    return element.localName.slice(0, 30) + (id ? "#" + id : first ? "." + first : "");
  };

  // What lies over the page; a part of it that the page itself stands in is left where it is.
  const overlays = (most) => {
    const body = bodyOf(document);
    const whole = body instanceof HTMLElement ? innerText(body).length : 0;
    const found = [];
    for (const element of elements(document, most)) {
      if (element === body || element === rootOf(document) || !(element instanceof HTMLElement)) continue;
      const style = getComputedStyle(element);
      const placed = style.position;
      const open = element.localName === "dialog" && attribute(element, "open") !== null;
      if (placed !== "fixed" && placed !== "sticky" && !(placed === "absolute" && Number(style.zIndex) >= 100) && !open) continue;
      if (style.visibility === "hidden" || style.display === "none" || Number(style.opacity) < 0.05) continue;
      const box = boxOf(element);
      const width = Math.max(0, Math.min(box.right, innerWidth) - Math.max(box.left, 0));
      const height = Math.max(0, Math.min(box.bottom, innerHeight) - Math.max(box.top, 0));
      const share = width * height / (innerWidth * innerHeight);
      const role = attribute(element, "role") || "";
      const named = CONSENT.test(idOf(element) + " " + (attribute(element, "class") || "")) || open
        || /^(alert)?dialog$/.test(role) || attribute(element, "aria-modal") === "true";
      if (share < (named ? 0.03 : placed === "sticky" ? 0.4 : 0.2)) continue;
      if (innerText(element).length > whole / 2 && !named) continue;
      if (found.some((other) => other.element.contains(element))) continue;
      found.push({ element, how: open ? "dialog" : placed, share });
    }
    return found;
  };

  const hide = (most) => {
    const found = overlays(20000).slice(0, most);
    const set = (element, name, value) => CSSStyleDeclaration.prototype.setProperty.call(
      styleOf(element), name, value, "important");
    for (const one of found) set(one.element, "display", "none");
    if (found.length) {
      for (const element of [rootOf(document), bodyOf(document)]) {
        if (!(element instanceof HTMLElement)) continue;
        const style = getComputedStyle(element);
        if (/hidden|clip/.test(style.overflowY)) set(element, "overflow", "visible");
        if (style.position === "fixed") set(element, "position", "static");
      }
    }
    return found.map((one) => `${words(one.element)}, ${one.how}, ${Math.round(one.share * 100)} % of the screen`);
  };

  return { text, about, dom, scrollTo, hide };
})()
