"""What the end-to-end tests stand on: processes, loopback servers, peers. Python 3.9 or newer, standard library only."""
