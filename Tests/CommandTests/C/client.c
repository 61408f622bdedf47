// A training process in C: records STEPS steps of ROWS examples over PTOKEN_ENDPOINT (spec/WIRE.md).
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int recorder;

static void fail(const char *what) {
  fprintf(stderr, "client: %s\n", what);
  exit(3);
}

static void put(const void *bytes, size_t count) {
  for (const char *next = bytes; count > 0;) {
    ssize_t sent = write(recorder, next, count);
    if (sent <= 0) fail("the recorder is gone");
    next += sent;
    count -= (size_t)sent;
  }
}

static void get(void *bytes, size_t count) {
  for (char *next = bytes; count > 0;) {
    ssize_t got = read(recorder, next, count);
    if (got <= 0) fail("the recorder is gone");
    next += got;
    count -= (size_t)got;
  }
}

// Reads messages until one of a kind comes.
static void await(const char *kind) {
  for (;;) {
    uint64_t length;
    get(&length, 8);
    if (length > 1 << 20) fail("a frame too long");
    char *frame = calloc(1, length + 1);
    get(frame, length);
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"message\":\"%s\"", kind);
    int found = strstr(frame + 8, wanted) != NULL;
    if (strstr(frame + 8, "\"message\":\"refused\"")) fail(frame + 8);
    if (found && !strcmp(kind, "closed")) printf("%s\n", frame + 8);
    free(frame);
    if (found) return;
  }
}

// Sends a frame: `tensors` is JSON that begins with a comma, or empty; `body` is JSON whose quotes are escaped.
static void message(const char *kind, const char *body, const char *tensors, const void *data,
                    size_t bytes) {
  char header[8192];
  int count = snprintf(header, sizeof header,
                       "{\"__metadata__\":{\"message\":\"%s\",\"body\":\"%s\"}%s}", kind, body, tensors);
  uint64_t lengths[2] = {8 + (uint64_t)count + bytes, (uint64_t)count};
  put(lengths, sizeof lengths);
  put(header, (size_t)count);
  put(data, bytes);
}

#define Q "\\\""
#define KEY(name) Q name Q ":"
#define PAIR(name, value) KEY(name) Q value Q

int main(int count, char **words) {
  int steps = count > 1 ? atoi(words[1]) : 3, rows = count > 2 ? atoi(words[2]) : 4;
  const char *endpoint = getenv("PTOKEN_ENDPOINT");
  if (!endpoint || strncmp(endpoint, "unix:", 5)) fail("expected PTOKEN_ENDPOINT");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, endpoint + 5, sizeof address.sun_path - 1);
  recorder = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(recorder, (struct sockaddr *)&address, sizeof address)) fail("cannot connect");
  await("welcome");
  message("hello",
          "{" PAIR("protocol", "1.0") "," PAIR("producer", "client in C") "," KEY("rank") "0," KEY("ranks") "1,"
          KEY("model") "{" PAIR("name", "line") "," KEY("layers") "[{" PAIR("name", "w") "," KEY("parameters") "2}],"
          KEY("parameters") "2}," KEY("training") "{}," KEY("observer") "{" PAIR("role", "test") "," PAIR("layers", "all")
          "," PAIR("aggregation", "none") "}," PAIR("loss_unit", "nats") "," KEY("has_trainable") "false," KEY("tables")
          "[{" PAIR("name", "trace") "," PAIR("unit", "example") "," PAIR("mode", "trace") "," KEY("schedule") "null,"
          KEY("has_weight") "false," KEY("has_local_steps") "false," KEY("has_members") "false," KEY("streams")
          "[{" PAIR("name", "w") "," PAIR("kind", "gradient") "," KEY("shape") "[2]," KEY("width") "2,"
          PAIR("sketch", "none") "," PAIR("layer", "w") "," PAIR("stage", "raw") "}]}]}",
          "", "", 0);
  await("ready");
  size_t bytes = (size_t)rows * (16 + 8);
  unsigned char *data = calloc(1, bytes);
  for (int step = 0; step < steps; step++) {
    for (int row = 0; row < rows; row++) data[16 * row] = (unsigned char)row;
    float *gradient = (float *)(data + 16 * (size_t)rows);
    for (int i = 0; i < 2 * rows; i++) gradient[i] = (float)(step * 100 + i);
    char body[256], tensors[512];
    snprintf(body, sizeof body, "{" KEY("number") "%d," KEY("index") "%d," PAIR("mode", "trace") "," KEY("tables") "[0]}",
             step, step);
    snprintf(tensors, sizeof tensors,
             ",\"0/record\":{\"dtype\":\"U8\",\"shape\":[%d,16],\"data_offsets\":[0,%d]},"
             "\"0/0\":{\"dtype\":\"F32\",\"shape\":[%d,2],\"data_offsets\":[%d,%d]}",
             rows, 16 * rows, rows, 16 * rows, 24 * rows);
    message("step", body, tensors, data, bytes);
  }
  if (count > 3 && !strcmp(words[3], "stay")) await("committed"), pause();
  if (count > 3) return atoi(words[3]);  // leaves without a word
  message("bye", "{" PAIR("status", "complete") "," KEY("passed") "1000}", "", "", 0);
  await("closed");
  return 0;
}
