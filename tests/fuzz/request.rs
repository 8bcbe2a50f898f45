//! Requests of the engine, made from a seed.

use lambda_rollout::pulumi::proto::{self, resource_provider_client::ResourceProviderClient};
use prost_types::{Struct, Value, value::Kind};
use tonic::{
    Status,
    body::Body,
    client::GrpcService,
    codegen::{Bytes, StdError},
};

use super::{
    dice::Dice,
    shape::{SCHEMA, Thing},
    text,
    wire::{self, Taste},
};

/// One call of the engine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Call {
    Handshake(proto::ProviderHandshakeRequest),
    Attach(proto::PluginAttach),
    Schema(proto::GetSchemaRequest),
    CheckConfig(proto::CheckRequest),
    DiffConfig(proto::DiffRequest),
    Configure(proto::ConfigureRequest),
    Check(proto::CheckRequest),
    Diff(proto::DiffRequest),
    Create(proto::CreateRequest),
    Read(proto::ReadRequest),
    Update(proto::UpdateRequest),
    Delete(proto::DeleteRequest),
    Invoke(proto::InvokeRequest),
    Mapping(proto::GetMappingRequest),
    Mappings(proto::GetMappingsRequest),
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Checked(proto::CheckResponse),
    Differs(proto::DiffResponse),
    Created(proto::CreateResponse),
    Read(proto::ReadResponse),
    Updated(proto::UpdateResponse),
    Invoked(proto::InvokeResponse),
    /// Nothing that could be wrong.
    Other,
}

/// Which calls are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Those that AWS hears nothing of.
    Alone,
    /// Those that act on AWS.
    Aws,
}

const MILD: Taste = Taste { wild: 25, unknown: 0, hushed: true };
const UNSURE: Taste = Taste { unknown: 12, ..MILD };
const WILD: Taste = Taste { wild: 5, unknown: 8, ..MILD };
const TAME: Taste = Taste { wild: 0, ..MILD };
/// What was declared and made before. Its secrets need not be found again.
const OLD: Taste = Taste { wild: 15, unknown: 0, hushed: false };

/// The place that the made-up AWS says it is.
pub(crate) const ACCOUNT: &str = "123456789012";
pub(crate) const REGION: &str = "eu-west-1";

impl Call {
    pub(crate) fn of(seed: u64, reach: Reach) -> Self {
        let dice = &mut Dice::new(seed);
        match reach {
            Reach::Alone => alone(dice),
            Reach::Aws => acting(dice),
        }
    }

    pub(crate) async fn send<T>(self, client: &mut ResourceProviderClient<T>) -> Result<Answer, Status>
    where
        T: GrpcService<Body>,
        T::Error: Into<StdError>,
        T::ResponseBody: tonic::codegen::Body<Data = Bytes> + Send + 'static,
        <T::ResponseBody as tonic::codegen::Body>::Error: Into<StdError> + Send,
    {
        Ok(match self {
            Self::Handshake(request) => other(client.handshake(request).await?),
            Self::Attach(request) => other(client.attach(request).await?),
            Self::Schema(request) => other(client.get_schema(request).await?),
            Self::CheckConfig(request) => Answer::Checked(client.check_config(request).await?.into_inner()),
            Self::DiffConfig(request) => Answer::Differs(client.diff_config(request).await?.into_inner()),
            Self::Configure(request) => other(client.configure(request).await?),
            Self::Check(request) => Answer::Checked(client.check(request).await?.into_inner()),
            Self::Diff(request) => Answer::Differs(client.diff(request).await?.into_inner()),
            Self::Create(request) => Answer::Created(client.create(request).await?.into_inner()),
            Self::Read(request) => Answer::Read(client.read(request).await?.into_inner()),
            Self::Update(request) => Answer::Updated(client.update(request).await?.into_inner()),
            Self::Delete(request) => other(client.delete(request).await?),
            Self::Invoke(request) => Answer::Invoked(client.invoke(request).await?.into_inner()),
            Self::Mapping(request) => other(client.get_mapping(request).await?),
            Self::Mappings(request) => other(client.get_mappings(request).await?),
        })
    }

    /// All sets of properties in it, to be made smaller when something is wrong with it.
    pub(crate) fn properties(&mut self) -> Vec<&mut Struct> {
        let sets: Vec<&mut Option<Struct>> = match self {
            Self::CheckConfig(request) | Self::Check(request) => vec![&mut request.olds, &mut request.news],
            Self::DiffConfig(request) | Self::Diff(request) => {
                vec![&mut request.olds, &mut request.news, &mut request.old_inputs]
            }
            Self::Configure(request) => vec![&mut request.args],
            Self::Create(request) => vec![&mut request.properties],
            Self::Read(request) => vec![&mut request.properties, &mut request.inputs],
            Self::Update(request) => vec![&mut request.olds, &mut request.news, &mut request.old_inputs],
            Self::Delete(request) => vec![&mut request.properties, &mut request.old_inputs],
            Self::Invoke(request) => vec![&mut request.args],
            _ => Vec::new(),
        };
        sets.into_iter().filter_map(Option::as_mut).collect()
    }
}

fn other<T>(_: T) -> Answer {
    Answer::Other
}

fn alone(dice: &mut Dice) -> Call {
    let taste = *dice.pick(&[MILD, UNSURE, WILD]);
    let thing = dice.pick(&SCHEMA.resources);
    match dice.below(40) {
        0 => Call::Handshake(proto::ProviderHandshakeRequest {
            engine_address: address(dice),
            ..proto::ProviderHandshakeRequest::default()
        }),
        1 => Call::Attach(proto::PluginAttach { address: address(dice) }),
        2 => Call::Schema(proto::GetSchemaRequest {
            version: i32::try_from(dice.below(3)).unwrap() - 1,
            ..proto::GetSchemaRequest::default()
        }),
        3 => Call::Mapping(proto::GetMappingRequest { key: text::odd(dice), provider: text::odd(dice) }),
        4 => Call::Mappings(proto::GetMappingsRequest { key: text::odd(dice) }),
        5 | 6 => Call::CheckConfig(proto::CheckRequest {
            urn: urn("pulumi:providers:lambda-rollout", dice),
            ..check(&SCHEMA.config, taste, dice)
        }),
        7 => Call::DiffConfig(diff(&SCHEMA.config, taste, dice)),
        8 => Call::Configure(configure(dice)),
        9..20 => Call::Check(check(thing, taste, dice)),
        20..28 => Call::Diff(diff(thing, taste, dice)),
        28..33 => Call::Create(proto::CreateRequest { preview: true, ..create(thing, taste, dice) }),
        33..39 => Call::Update(proto::UpdateRequest { preview: true, ..update(thing, taste, dice) }),
        // Without what it needs it is refused before it asks AWS.
        _ => Call::Invoke(proto::InvokeRequest {
            tok: text::odd(dice),
            args: maybe(&SCHEMA.functions[0], taste, dice),
            preview: true,
        }),
    }
}

fn acting(dice: &mut Dice) -> Call {
    let taste = *dice.pick(&[TAME, TAME, TAME, MILD, WILD]);
    let thing = dice.pick(&SCHEMA.resources);
    match dice.below(10) {
        0 | 1 => Call::Create(create(thing, taste, dice)),
        2..5 => Call::Update(update(thing, taste, dice)),
        5..8 => Call::Read(read(thing, dice)),
        8 => Call::Delete(proto::DeleteRequest {
            id: id(thing, dice),
            urn: urn(&thing.token, dice),
            properties: state(thing, dice),
            old_inputs: maybe(thing, OLD, dice),
            timeout: timeout(dice),
            ..proto::DeleteRequest::default()
        }),
        _ => {
            let function = dice.pick(&SCHEMA.functions);
            let tok = function.token.clone();
            Call::Invoke(proto::InvokeRequest { tok, args: maybe(function, taste, dice), preview: false })
        }
    }
}

fn check(thing: &Thing, taste: Taste, dice: &mut Dice) -> proto::CheckRequest {
    proto::CheckRequest {
        urn: urn(&thing.token, dice),
        olds: maybe(thing, OLD, dice),
        news: maybe(thing, taste, dice),
        random_seed: vec![0xFF; dice.below(3)],
        ..proto::CheckRequest::default()
    }
}

fn diff(thing: &Thing, taste: Taste, dice: &mut Dice) -> proto::DiffRequest {
    proto::DiffRequest {
        id: id(thing, dice),
        urn: urn(&thing.token, dice),
        olds: state(thing, dice),
        news: maybe(thing, taste, dice),
        old_inputs: maybe(thing, OLD, dice),
        ignore_changes: (0..dice.below(3)).map(|_| text::odd(dice)).collect(),
        ..proto::DiffRequest::default()
    }
}

fn create(thing: &Thing, taste: Taste, dice: &mut Dice) -> proto::CreateRequest {
    proto::CreateRequest {
        urn: urn(&thing.token, dice),
        properties: maybe(thing, taste, dice),
        timeout: timeout(dice),
        ..proto::CreateRequest::default()
    }
}

fn update(thing: &Thing, taste: Taste, dice: &mut Dice) -> proto::UpdateRequest {
    proto::UpdateRequest {
        id: id(thing, dice),
        urn: urn(&thing.token, dice),
        olds: state(thing, dice),
        news: maybe(thing, taste, dice),
        old_inputs: maybe(thing, OLD, dice),
        timeout: timeout(dice),
        ..proto::UpdateRequest::default()
    }
}

fn read(thing: &Thing, dice: &mut Dice) -> proto::ReadRequest {
    proto::ReadRequest {
        id: id(thing, dice),
        urn: urn(&thing.token, dice),
        properties: state(thing, dice),
        inputs: maybe(thing, OLD, dice),
        timeout: timeout(dice),
        ..proto::ReadRequest::default()
    }
}

/// A configuration that says where everything is, so that nothing outside of this machine is asked.
fn configure(dice: &mut Dice) -> proto::ConfigureRequest {
    let mut args = wire::properties(&SCHEMA.config.inputs, WILD, dice);
    for key in ["profile", "assumeRole"] {
        args.fields.remove(key);
    }
    proto::ConfigureRequest { args: Some(args), ..proto::ConfigureRequest::default() }
}

fn maybe(thing: &Thing, taste: Taste, dice: &mut Dice) -> Option<Struct> {
    (!dice.one_in(30)).then(|| wire::properties(&thing.inputs, taste, dice))
}

/// Old outputs: the inputs again, what was computed, and what only the provider reads.
fn state(thing: &Thing, dice: &mut Dice) -> Option<Struct> {
    let mut state = maybe(thing, OLD, dice)?;
    state.fields.extend(wire::properties(&thing.outputs, OLD, dice).fields);
    if !dice.one_in(8) {
        let private = if dice.one_in(15) { wire::anything(OLD, dice, 0) } else { private(dice) };
        state.fields.insert("__rollout".to_owned(), private);
    }
    Some(state)
}

fn private(dice: &mut Dice) -> Value {
    const MADE: [&str; 6] = ["alias", "latestAlias", "application", "group", "role", "moon"];
    let known = |known: &str, dice: &mut Dice| {
        if dice.one_in(15) { wire::anything(OLD, dice, 1) } else { wire::text(known) }
    };
    let mut fields = vec![
        ("v", wire::kind(Kind::NumberValue(1.0))),
        ("owner", known("shop/dev/api", dice)),
        ("generation", known("k3x9", dice)),
        ("account", known(ACCOUNT, dice)),
        ("region", known(REGION, dice)),
        ("partition", known("aws", dice)),
        ("imported", wire::kind(Kind::BoolValue(dice.one_in(5)))),
        ("made", wire::list((0..dice.below(6)).map(|index| wire::text(MADE[index])))),
        ("served", wire::list((0..dice.below(4)).map(|_| wire::text(text::text("version", false, dice))))),
        ("triggerMark", known("", dice)),
        ("tagMark", known("", dice)),
        ("boundary", known("", dice)),
        ("leftovers", wire::list((0..dice.below(3)).map(|_| leftover(dice)))),
        (
            "drift",
            wire::list((0..dice.below(2)).map(|_| wire::list([wire::text("functionUrl"), wire::text("m")]))),
        ),
    ];
    if dice.one_in(6) {
        fields.remove(dice.below(fields.len()));
    }
    if dice.one_in(10) {
        fields.push(("generation", wire::text(text::odd(dice))));
    }
    wire::object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)))
}

fn leftover(dice: &mut Dice) -> Value {
    const PARTS: [&str; 9] = ["group", "config", "alias", "application", "role", "alarm", "app", "c", ""];
    wire::list((0..dice.below(4)).map(|_| wire::text(*dice.pick(&PARTS))))
}

/// A URN of this type, most of the time.
fn urn(token: &str, dice: &mut Dice) -> String {
    match dice.below(40) {
        0 => text::odd(dice),
        1 => format!("urn:pulumi:dev::shop::aws:s3/bucket:Bucket::{}", text::odd(dice)),
        2 => format!("urn:pulumi:::::{token}::"),
        3 => format!("urn:pulumi:dev::shop::a:b:C${token}::{}", text::odd(dice)),
        _ => format!("urn:pulumi:dev::shop::{token}::api"),
    }
}

fn id(thing: &Thing, dice: &mut Dice) -> String {
    match dice.below(20) {
        0 => String::new(),
        1 | 2 => text::odd(dice),
        3 => format!("{}:{}", text::odd(dice), text::odd(dice)),
        _ if thing.token.ends_with("LambdaDeployment") => "app/group/orders:stable".to_owned(),
        _ if thing.token.ends_with("DeploymentWaiter") => "waiter-12345678".to_owned(),
        _ => "orders:stable".to_owned(),
    }
}

/// Seconds. Limits that make sense are short, so that no answer of AWS keeps a call for long.
fn timeout(dice: &mut Dice) -> f64 {
    *dice.pick(&[0.0, -0.0, 0.01, 0.05, 0.1, -1.0, f64::NAN, f64::INFINITY, 1e308, 5e-324])
}

/// Where an engine might be; nobody listens there.
fn address(dice: &mut Dice) -> String {
    const ADDRESSES: [&str; 6] = ["", "127.0.0.1:1", "127.0.0.1", "[::1]:1", "http://127.0.0.1:1", "\u{0}"];
    (*dice.pick(&ADDRESSES)).to_owned()
}
