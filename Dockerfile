# The command in a container:
#     docker build -t specnmf .
#     docker run --rm -v "$PWD:/music" specnmf decompose song.wav
# The set-up commands of the README on a fresh machine:
#     docker build --target check .

FROM python:3.13-slim AS check
RUN apt-get update && apt-get install -y --no-install-recommends make
COPY . /specnmf
WORKDIR /specnmf
RUN make demo
RUN make test

FROM python:3.13-slim AS specnmf
COPY . /specnmf
RUN pip install --no-cache-dir /specnmf
WORKDIR /music
ENTRYPOINT ["specnmf"]
