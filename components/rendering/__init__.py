"""How settings become Kestra's application.yaml; ``components.rendering.configuration`` is the face.

``tree`` turns the settings models into plain mappings, ``sections``, ``endpoints`` and ``secret_backends``
shape them for one Kestra version and edition, ``leaves`` moves the sensitive values into
environment variables, ``document`` writes the bytes.
"""
