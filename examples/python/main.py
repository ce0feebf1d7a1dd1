import os
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

PROJECT = os.environ.get("PROJECT_ID", "example-python")
MESSAGE = "Hello from the python example."

PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>{project}</title>
</head>
<body>
  <h1>{project}</h1>
  <p>{message}</p>
</body>
</html>
"""


@asynccontextmanager
async def lifespan(app: FastAPI):
    print("starting up", flush=True)
    yield
    print("shutting down", flush=True)


app = FastAPI(title=PROJECT, lifespan=lifespan)


@app.get("/", response_class=HTMLResponse)
def home() -> str:
    return PAGE.format(project=PROJECT, message=MESSAGE)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok", "project": PROJECT}
