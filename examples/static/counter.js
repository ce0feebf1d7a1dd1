export function label(count) {
  return count === 1 ? "1 click" : `${count} clicks`;
}
