#!/bin/sh
# Stands in for answer.c where there is no C compiler.
if [ "$1" = is-active ]; then
    shift
    for _ in "$@"; do echo active; done
    exit
fi
program=${0##*/}
set -- $SSH_CONNECTION
exec cat "@ANSWERS@/$3/$program"
