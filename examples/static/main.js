import { label } from "./counter.js";

const button = document.querySelector("#count");
let count = 0;

button.addEventListener("click", () => {
  count += 1;
  button.textContent = label(count);
});
