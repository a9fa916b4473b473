import io
import re
from pathlib import Path

import pytest

from jina.config import ExecutorConfig, expand, read_flow, read_uses, resolve, to_yaml
from jina.excepts import BadConfig, BadFlowYAMLVersion
from jina.spec import ExecutorSpec, FlowSpec


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    monkeypatch.setenv('ANIMAL', 'cat')
    monkeypatch.setenv('PORT', '8080')
    monkeypatch.delenv('NOT_SET', raising=False)


@pytest.mark.parametrize(
    ('text', 'expanded'),
    [
        ('$ANIMAL', 'cat'),
        ('${ANIMAL}s', 'cats'),
        ('${{ ENV.ANIMAL }}/${{ENV.ANIMAL}}', 'cat/cat'),
        ('$NOT_SET ${NOT_SET} ${{ ENV.NOT_SET }}', '$NOT_SET ${NOT_SET} ${{ ENV.NOT_SET }}'),
        ('5 $ and ^a$', '5 $ and ^a$'),
    ],
)
def test_variables_stand_for_the_environment_and_stay_if_it_has_none(text, expanded):
    assert expand(text) == expanded
    assert expand({'a': [{'b': text}, 5, None]}) == {'a': [{'b': expanded}, 5, None]}


YAML = """
jtype: MyExecutor
with:
  bar: 123
metas:
  name: awesomeness
  description: my first awesome executor
  py_modules: myexec.py
requests:
  /random_work: foo
"""


def test_the_yaml_of_the_seeds_is_read_from_a_file_with_paths_beside_it(tmp_path):
    (tmp_path / 'my.yml').write_text(YAML)
    config = read_uses('my.yml', tmp_path)
    assert (config.jtype, config.with_, config.requests) == ('MyExecutor', {'bar': 123}, {'/random_work': 'foo'})
    assert config.metas == {'name': 'awesomeness', 'description': 'my first awesome executor'}
    assert config.py_modules == [str((tmp_path / 'myexec.py').resolve())]
    assert read_uses(str(tmp_path / 'my.yml')) == config


def test_the_same_as_text_or_as_a_dict():
    assert read_uses(YAML).with_ == {'bar': 123}
    assert read_uses({'jtype': 'X', 'with': {'a': '$ANIMAL'}}) == ExecutorConfig(
        'X', {'a': '$ANIMAL'}
    )  # only YAML expands
    assert read_uses('package.module.X') == ExecutorConfig('package.module.X')
    assert read_uses({'jtype': 'X', 'py_modules': ['a', 'b.py'], 'with': None}).py_modules[0] == 'a'


def test_a_path_object_is_a_path(tmp_path):
    (tmp_path / 'my.yml').write_text(YAML)
    assert read_uses(tmp_path / 'my.yml').jtype == 'MyExecutor'


@pytest.mark.parametrize('mode', ['r', 'rb'])
def test_an_open_file_has_its_paths_beside_it_too(tmp_path, mode):
    for name, text, read in (('my.yml', YAML, read_uses), ('flow.yml', FLOW, read_flow)):
        (tmp_path / name).write_text(text)
        with open(tmp_path / name, mode) as file:
            assert read(file) == read(tmp_path / name)
    (tmp_path / 'wrong').write_text('a: [')
    with open(tmp_path / 'wrong', mode) as file, pytest.raises(BadConfig, match=f'{tmp_path}/wrong is not YAML'):
        read_uses(file)


@pytest.mark.parametrize('opened', [io.StringIO, lambda text: io.BytesIO(text.encode())])
def test_what_is_read_from_memory_is_text(opened):
    assert read_uses(opened(YAML)) == read_uses(YAML)
    assert read_flow(opened(FLOW)) == read_flow(FLOW)


def test_text_may_hold_an_address():
    assert read_uses('jtype: X\nwith: {url: http://x}').with_ == {'url': 'http://x'}


@pytest.mark.parametrize(
    ('uses', 'told'),
    [
        ('nope.yml', 'there is no file nope.yml (in '),
        ('docker://x', 'this version runs no containers'),
        ('jinahub+docker://x/y:1', 'this version runs no containers'),
        ('', 'described by a mapping with the key `jtype`'),
        ('some words', 'described by a mapping with the key `jtype`'),
        ('with: {a: 1}', 'described by a mapping with the key `jtype`'),
        ('a: [', 'the YAML text of uses is not YAML'),
        ('jtype: X\nwiht: {}', "there is no key 'wiht' here: did you mean 'with'?"),
        ('jtype: X\nwith: 5', 'Expected `object`, got `int`'),
        ('jtype: X\nrequests: {/a: 5}', 'Expected `str`, got `int`'),
        ('jtype: 5', 'Expected `str`, got `int`'),
        (5, 'it takes an Executor class, its name, a YAML file, YAML text or a dict'),
    ],
)
def test_what_is_no_executor_is_refused_with_the_reason(uses, told):
    with pytest.raises(BadConfig) as raised:
        read_uses(uses)
    assert told in str(raised.value)


def test_options_of_add_go_before_those_of_the_yaml(tmp_path):
    spec = ExecutorSpec(
        uses={'jtype': 'X', 'with': {'a': 1, 'b': 1}, 'metas': {'name': 'm'}, 'requests': {'/a': 'f', '/b': 'f'}},
        uses_with={'b': 2},
        uses_metas={'name': 'n'},
        uses_requests={'/b': 'g'},
        py_modules='x.py',
    )
    resolved = resolve(spec, tmp_path)
    assert resolved.uses == {
        'jtype': 'X',
        'with': {'a': 1, 'b': 2},
        'metas': {'name': 'n'},
        'requests': {'/a': 'f', '/b': 'g'},
        'py_modules': [str((tmp_path / 'x.py').resolve())],
    }
    assert (resolved.uses_with, resolved.uses_metas, resolved.uses_requests, resolved.py_modules) == ({}, {}, {}, [])


FLOW = """
jtype: Flow
version: '1'
with:
  protocol: http
  workspace: /tmp/${{ ENV.ANIMAL }}
executors:
  - name: a
    uses: X
    uses_with: {x: $ANIMAL}
  - needs: [a, gateway]
"""


def test_a_flow_is_read_from_text_file_or_dict(tmp_path):
    spec, folder = read_flow(FLOW)
    assert (spec.protocol, spec.workspace, folder) == ('http', '/tmp/cat', Path())
    assert [e.name for e in spec.executors] == ['a', 'pod1']
    assert spec.executors[0].uses_with == {'x': 'cat'}
    assert spec.executors[1].needs == ['a', 'gateway']
    path = tmp_path / 'flow.yml'
    path.write_text(FLOW)
    assert read_flow(path) == read_flow(str(path)) == (spec, tmp_path)
    assert read_flow({'jtype': 'Flow', 'pods': [{'name': 'a'}]})[0].executors[0].name == 'a'
    assert read_flow('jtype: Flow')[0] == FlowSpec()


@pytest.mark.parametrize('port', ['$PORT', '${PORT}', '${{ ENV.PORT }}'])
def test_a_variable_may_stand_for_a_number(port):
    assert read_flow(f'jtype: Flow\nwith:\n  port_expose: {port}')[0].port_expose == 8080


@pytest.mark.parametrize(
    ('source', 'told'),
    [
        ('nope.yml', 'there is no file nope.yml'),
        ('', 'described by a mapping with `jtype: Flow`'),
        ('jtype: Executor', 'described by a mapping with `jtype: Flow`'),
        ('- a', 'described by a mapping with `jtype: Flow`'),
        ('jtype: [', 'is not YAML'),
        ('jtype: Flow\nexecutor: []', "there is no key 'executor' here: did you mean 'executors'?"),
        ('jtype: Flow\nwith: {prot: 1}', "with: of the Flow has no option 'prot'"),
        ('jtype: Flow\nexecutors: [{use: X}]', "Executor 0 of the Flow has no option 'use': did you mean 'uses'?"),
        ('jtype: Flow\nexecutors: [{name: 5}]', 'Executor 0 of the Flow: option name=5: Expected str, got int'),
        pytest.param('jtype: Flow\nexecutors: 5', 'executors'),
        pytest.param('jtype: Flow\nwith: 5', 'with'),
        pytest.param('jtype: Flow\nwith: [1]', 'with'),
    ],
)
def test_what_is_no_flow_is_refused_with_the_reason(source, told):
    with pytest.raises(BadConfig) as raised:
        read_flow(source)
    assert told in str(raised.value)


@pytest.mark.parametrize('executors', ['[MyExecutor]', '{name: x}', '[null]'])
def test_executors_that_are_no_mappings_are_told_so(executors):
    with pytest.raises(BadConfig, match='mapping'):
        read_flow(f'jtype: Flow\nexecutors: {executors}')


@pytest.mark.parametrize('version', ["'1'", '1', "'1.0'"])
def test_version_one_is_known(version):
    read_flow(f'jtype: Flow\nversion: {version}')


def test_another_version_is_not():
    with pytest.raises(BadFlowYAMLVersion, match="version '2' is not known; leave it out or write 1"):
        read_flow("jtype: Flow\nversion: '2'")


def test_what_is_written_can_be_read():
    spec, _ = read_flow(FLOW)
    assert read_flow(to_yaml(spec))[0] == spec
    assert read_flow(to_yaml(FlowSpec()))[0] == FlowSpec()


@pytest.mark.parametrize(
    ('tagged', 'plain'),
    [
        ('!X\nwith: {a: 1}', 'jtype: X\nwith: {a: 1}'),
        ('!X {with: {a: 1}}', 'jtype: X\nwith: {a: 1}'),
        ('!package.module.X {}', 'jtype: package.module.X'),
        ('!X', 'jtype: X'),
        ('!X\njtype: Y', 'jtype: Y'),
    ],
)
def test_a_tag_names_the_class(tagged, plain):
    assert read_uses(tagged) == read_uses(plain)
    entry = tagged.replace('\n', '\n      ')
    for option in ('uses', 'uses_before', 'uses_after'):
        spec, _ = read_flow(f'!Flow\nexecutors:\n  - {option}:\n      {entry}')
        uses = getattr(spec.executors[0], option)
        assert read_uses(uses) == read_uses(plain)


def test_a_flow_may_be_tagged():
    spec, _ = read_flow('!Flow {pods: [{uses: !X {with: {a: 1}}}]}')
    assert spec.executors[0].uses == {'jtype': 'X', 'with': {'a': 1}}
    assert read_flow(FLOW.replace('jtype: Flow', '!Flow')) == read_flow(FLOW)
    assert read_flow('!Flow {}') == read_flow('!Flow') == read_flow('jtype: Flow')


@pytest.mark.parametrize(
    ('read', 'source', 'told'),
    [
        (read_uses, 'jtype: X\nwith:\n  a: !Foo {x: 1}', "uses, line 3: the tag '!Foo' means nothing here"),
        (
            read_uses,
            "!X\nwith: {a: !!python/name:os.system ''}",
            "the tag '!!python/name:os.system' means nothing here",
        ),
        (read_uses, '!X 5', "the tag '!X' means nothing here"),
        (read_uses, '!X [5]', "the tag '!X' means nothing here"),
        (read_flow, '!Flow\nwith: !Foo {a: 1}', "the Flow, line 2: the tag '!Foo' means nothing here"),
        (read_flow, '!Flow\nexecutors: [!X {}]', "the tag '!X' means nothing here"),
        (read_flow, '!Flow\nexecutors: [{name: !X {}}]', "the tag '!X' means nothing here"),
        (read_flow, '!Flew\nexecutors: []', 'a mapping with `jtype: Flow`'),
    ],
)
def test_a_tag_anywhere_else_is_told_with_its_line(read, source, told):
    with pytest.raises(BadConfig) as raised:
        read(source)
    assert told in str(raised.value)
    assert 'is not YAML' not in str(raised.value)


def methods(*entries):
    """Name, needs and whether it only looks, of Executors that methods of a Flow add."""
    spec, _ = read_flow({'jtype': 'Flow', 'executors': list(entries)})
    return [(e.name, e.needs, e.inspect) for e in spec.executors]


def test_an_entry_may_name_the_method_that_adds_it():
    a, b = {'name': 'a', 'method': 'add'}, {'needs': 'gateway'}
    both = [('a', None, False), ('pod1', 'gateway', False)]
    assert methods(a, b) == both
    for method in ('needs', 'join'):
        assert methods(a, b, {'method': method, 'needs': ['a', 'pod1']}) == [*both, ('joiner', ['a', 'pod1'], False)]
    assert methods(a, b, {'method': 'needs_all', 'name': 'all'}) == [*both, ('all', ['a', 'pod1'], False)]
    assert methods(a, {'method': 'inspect'}, {'method': 'inspect', 'name': 'i'}, {}) == [
        ('a', None, False), ('inspect0', None, True), ('i', None, True), ('pod3', None, False),
    ]  # fmt: skip
    assert methods(a, {'method': 'inspect'}, {}, b, {'method': 'needs_all'})[-1] == ('joiner', ['pod2', 'pod3'], False)
    assert methods({'method': 'needs_all'}) == [('joiner', ['gateway'], False)]


@pytest.mark.parametrize(
    ('entry', 'told'),
    [
        ({'method': 'need'}, "Executor 0 of the Flow: there is no method 'need' that adds an Executor: did you mean"),
        ({'method': 'close'}, 'it has: add, inspect, join, needs, needs_all'),
        ({'method': 5}, 'there is no method 5'),
        ({'method': ['add']}, "there is no method ['add']"),
        ({'method': 'needs'}, '`needs` goes with `method: needs`'),
        ({'method': 'needs_all', 'needs': ['a']}, 'and not with `method: needs_all`'),
        ({'method': 'inspect', 'use': 'X'}, "Executor 0 of the Flow has no option 'use': did you mean 'uses'?"),
    ],
)
def test_a_method_that_adds_nothing_is_told(entry, told):
    with pytest.raises(BadConfig) as raised:
        methods(entry)
    assert told in str(raised.value)


SAVED = """
!Flow
version: '1'
with:
  name: abc
  protocol: http
  cors: true
executors:
- name: x
  workspace: /tmp/w
  port_ctrl: 45091
  uses: m2.yml
  uses_with:
    a: 1
  port_in: 46341
  port_out: 58765
  upload_files:
  - m2.yml
  parallel: 2
  polling: "ALL"
- needs:
  - gateway
  name: pod1
  workspace: /tmp/w
  zmq_identity: e92bcca4-6055-4668-94b6-4fd2bada2ce4
  port_ctrl: 55625
  port_in: 60001
  port_out: 34991
  hosts_in_connect: []
  socket_in: "ROUTER_BIND"
  socket_out: "ROUTER_BIND"
  upload_files: []
"""


def test_a_flow_that_jina_2_saved_is_read():
    with pytest.warns(UserWarning, match='Executor [01] of the Flow: options without effect here: '):
        spec, _ = read_flow(SAVED)
    x = ExecutorSpec(name='x', workspace='/tmp/w', uses='m2.yml', uses_with={'a': 1}, replicas=2, polling='ALL')
    pod1 = ExecutorSpec(name='pod1', needs=['gateway'], workspace='/tmp/w')
    assert spec == FlowSpec(name='abc', protocol='http', cors=True, executors=[x, pod1])


def test_an_executor_that_jina_2_saved_is_read():
    saved = '!MyExec\nwith:\n  a: 2\nmetas:\n  name: MyExec\nrequests:\n  /x: f\n'
    assert read_uses(saved) == ExecutorConfig('MyExec', {'a': 2}, {'name': 'MyExec'}, {'/x': 'f'})


@pytest.mark.parametrize(
    ('content', 'told'),
    [
        (b'jtype: Flow\nexecutors: []\nexecutors: []\n', "line 3: 'executors' is there twice"),
        (b'jtype: Flow\nexecutors: &e\n- uses: *e\n', 'an alias (*name) inside of what it is another name of'),
        (b'jtype: Flow\nwith: {name: \xff}\n', 'is not text in UTF-8'),
    ],
)
def test_yaml_that_cannot_be_meant_is_told(tmp_path, content, told):
    path = tmp_path / 'f.yml'
    path.write_bytes(content)
    with pytest.raises(BadConfig, match=re.escape(told)):
        read_flow(str(path))


def test_a_merged_mapping_may_be_overridden():
    text = 'jtype: Flow\nexecutors:\n- &a {name: a, replicas: 2}\n- {<<: *a, name: b}\n'
    spec, _ = read_flow(text)
    assert [(e.name, e.replicas) for e in spec.executors] == [('a', 2), ('b', 2)]
