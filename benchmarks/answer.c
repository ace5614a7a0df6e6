/* Stands in for systemctl, ip and journalctl on the hosts' side, for every way of asking alike: prints what
   was recorded for the address that the client came to. A real `systemctl show` costs its host 9 ms. */
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
    char address[64], path[4096], buffer[65536];
    const char *connection = getenv("SSH_CONNECTION");
    ssize_t got;
    int file;
    if (connection == NULL || sscanf(connection, "%*s %*s %63s", address) != 1)
        return 1;
    if (argc > 1 && strcmp(argv[1], "is-active") == 0) {
        for (int i = 2; i < argc; i++) {
            snprintf(path, sizeof path, "%s/%s/inactive/%s", ANSWERS, address, argv[i]);
            const char *state = access(path, F_OK) == 0 ? "inactive\n" : "active\n";
            if (write(1, state, strlen(state)) < 0)
                return 1;
        }
        return 0;
    }
    snprintf(path, sizeof path, "%s/%s/%s", ANSWERS, address, basename(argv[0]));
    if ((file = open(path, O_RDONLY)) < 0)
        return 1;
    while ((got = read(file, buffer, sizeof buffer)) > 0)
        if (write(1, buffer, got) != got)
            return 1;
    return got < 0;
}
