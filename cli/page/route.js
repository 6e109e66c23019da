// The address says everything about what is shown: `/?q=…`, `/?event=12&tab=path`, `/?view=findings`, `/?view=user&id=42`.

const NAMES = ['view', 'q', 'event', 'tab', 'id', 'sdk'];

/** What the address asks for. */
export function read(search = location.search) {
  const members = new URLSearchParams(search);
  const route = {};
  for (const name of NAMES) if (members.get(name)) route[name] = members.get(name);
  route.view ??= 'live';
  route.q ??= '';
  const seq = Number(route.event);
  if (Number.isSafeInteger(seq) && seq > 0) route.event = seq;
  else delete route.event;
  return route;
}

/** The address of a route. */
export function link(route) {
  const pairs = NAMES.filter((name) => route[name] && !(name === 'view' && route.view === 'live'));
  const search = pairs.map((name) => `${name}=${readable(route[name])}`).join('&');
  return search ? `/?${search}` : '/';
}

// What may stand in a query as it is stays as it is, so that an address can be read.
function readable(value) {
  const sound = String(value).replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
  return encodeURIComponent(sound).replace(/%(3A|2C|2F|40|24)/g, decodeURIComponent).replace(/%20/g, '+');
}
