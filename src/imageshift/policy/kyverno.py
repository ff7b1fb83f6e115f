"""A Kyverno ClusterPolicy, which moves the images of new pods.

The steps become one expression of calls inside each other: an image that a step has moved fits no
later one, since it is on the cache by then.
"""

import json
from collections.abc import Iterable, Sequence

from imageshift.policy.options import PolicyOptions, yaml_list
from imageshift.policy.steps import Step

__all__ = ["expression", "kyverno_policy"]

_POLICY = """\
# Written by `imageshift policy kyverno` from the rules in force: change those, and run it again.
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: {name}
  annotations:
    pod-policies.kyverno.io/autogen-controllers: none
spec:
  background: false
  rules:
"""
_RULE = """\
    - name: {field}
      match:
        any:
          - resources: {{kinds: [Pod], operations: [CREATE]}}
{exclude}      preconditions:
        all:
          - key: "{{{{ request.object.spec.{list}[] || `[]` | length(@) }}}}"
            operator: GreaterThan
            value: 0
      mutate:
        foreach:
          - list: request.object.spec.{list}
            patchStrategicMerge:
              spec:
                {list}:
                  - name: "{{{{ element.name }}}}"
                    image: {image}
"""
_EXCLUDE = """\
      exclude:
        any:
          - resources: {{namespaces: {names}}}
"""


def kyverno_policy(steps: Sequence[Step], options: PolicyOptions) -> str:
    """The policy, with a rule for containers and one for init containers."""
    exclude = _EXCLUDE.format(names=yaml_list(options.excluded)) if options.excluded else ""
    parts = [_POLICY.format(name=options.name)]
    for name, field in (("containers", "containers"), ("initContainers", "init-containers")):
        image = json.dumps(f"{{{{ {expression(steps)} }}}}")
        parts.append(_RULE.format(list=name, field=field, exclude=exclude, image=image))
    return "".join(parts)


def expression(steps: Iterable[Step]) -> str:
    """Where `element.image` goes, as a JMESPath expression with Kyverno's functions.

    An image that a step leaves alone gets a mark, with which it fits no later step.
    """
    text = "element.image"
    for step in steps:
        head = step.pattern.removeprefix("^").removesuffix(f"{step.rest}$")
        if step.put is None:
            text = f"regex_replace_all('^({head}{step.rest})$', {text}, '{_MARK}$1')"
        else:
            text = f"regex_replace_all('^{head}({step.rest})$', {text}, '{step.put}$1')"
    return f"regex_replace_all('^{_MARK}', {text}, '')"


_MARK = "!"
