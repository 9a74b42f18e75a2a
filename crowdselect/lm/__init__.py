"""Language models in memory, and the conversations that they read: the layer below the stages.

``conversations`` reads files of them (``messages``: one turn; ``prompts``: what waits for an
answer; ``written``: what of one a template writes). ``models`` loads (safetensors only),
``identity`` tells two models apart, ``template`` turns conversations into prompts, ``batches``
cuts texts by length. ``generation`` makes answers, ``rewards`` reads a reward model,
``language_model`` gives losses and probabilities, ``answering`` answers every request once,
whatever stopped an earlier start, and ``passes``, ``shards`` and ``run`` take one model over
many samples, here or on a pool (``crowdselect.engines``).

Importing this package loads no torch; each module does where it is used.
"""
