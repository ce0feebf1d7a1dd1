import express from "express";

import { page } from "./page.js";

const app = express();
const port = Number(process.env.PORT ?? 3000);
const project = process.env.PROJECT_ID ?? "example-node";

app.get("/", (request, response) => {
  response.send(page(project));
});

app.get("/health", (request, response) => {
  response.json({ status: "ok", project });
});

const server = app.listen(port, "0.0.0.0", (error) => {
  if (error) throw error;
  console.log(`listening on port ${port}`);
});

process.on("SIGTERM", () => {
  console.log("shutting down");
  server.close(() => process.exit(0));
  server.closeAllConnections();
});
