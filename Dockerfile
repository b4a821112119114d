# The same steps as on any fresh machine, nothing else.
#   docker build -t ganforge .
#   docker run -p 8888:8888 ganforge          opens the notebook: follow the address it prints
#   docker run ganforge make test             or any other target
FROM python:3.12-slim

RUN apt-get update && apt-get install -y --no-install-recommends make && rm -rf /var/lib/apt/lists/*
ENV PIP_NO_CACHE_DIR=1
WORKDIR /ganforge
COPY . .
RUN make .venv/dev.stamp .venv/notebook.stamp .venv/browser.stamp

EXPOSE 8888
CMD ["make", "lab", "IP=0.0.0.0"]
