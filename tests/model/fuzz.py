"""Compares the server with the model without end: cd tests && python3 -m model.fuzz [seed]"""

import random
import sys

from doctor import Server

from .compare import run


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.SystemRandom().randrange(1 << 32)
    while True:
        with Server(secret="open sesame") as server:
            print(f"seed {seed}", flush=True)
            run(server, random.Random(seed), 5000)
        seed += 1


if __name__ == "__main__":
    main()
