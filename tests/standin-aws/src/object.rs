//! A resource of the table: made, read, changed and deleted by the calls that stand there.

use lambda_rollout::pulumi::PropertyValue;
use lambda_rollout::pulumi::{
    Created, DeleteRequest, Failure, Operation, PropertyMap, ReadRequest, ReadState, UpdateRequest, Updated,
};
use serde_json::{Value, json};

use crate::aws::{Aws, Refusal};
use crate::call::Call;
use crate::table::{Kind, Step};
use crate::{convert, template};

pub(crate) async fn create(
    kind: &Kind,
    aws: &Aws,
    operation: &Operation,
    inputs: PropertyMap,
) -> Result<Created, Failure> {
    if operation.preview {
        let mut outputs = inputs;
        for name in kind.outputs.keys() {
            outputs.insert(name.clone(), PropertyValue::Unknown);
        }
        return Ok(Created { id: String::new(), outputs, refresh_before_update: false });
    }
    let mut known = known(aws, &inputs, None);
    let answer = run(aws, &kind.create, &known).await?;
    known["answer"] = answer;
    let Value::String(id) = template::fill(&kind.id, &known) else {
        return Err(Failure::bug(format!("{} was made without an id", operation.type_token)));
    };
    operation.keep(&id, inputs.clone());
    known["id"] = id.as_str().into();
    let outputs = observe(kind, aws, known, inputs).await?;
    let outputs = outputs.ok_or_else(|| Failure::plain(format!("{id} was made, and is not there")))?;
    Ok(Created { id, outputs, refresh_before_update: false })
}

pub(crate) async fn read(kind: &Kind, aws: &Aws, request: ReadRequest) -> Result<Option<ReadState>, Failure> {
    let (Some(inputs), Some(outputs)) = (request.inputs, request.outputs) else {
        return Err(Failure::plain("the stand-in for the AWS provider imports nothing"));
    };
    let known = known(aws, &outputs, Some(&request.id));
    let outputs = observe(kind, aws, known, outputs).await?;
    Ok(outputs.map(|outputs| ReadState { id: request.id, inputs, outputs, refresh_before_update: false }))
}

pub(crate) async fn update(
    kind: &Kind,
    aws: &Aws,
    operation: &Operation,
    request: UpdateRequest,
) -> Result<Updated, Failure> {
    let mut outputs = request.inputs.clone();
    for name in kind.outputs.keys() {
        outputs.insert(name.clone(), request.old_outputs.get(name).cloned().unwrap_or_default());
    }
    if operation.preview {
        return Ok(Updated { outputs, refresh_before_update: false });
    }
    // What only the old object knows, an attribute's own id for one, is needed by the calls too.
    let known = known(aws, &outputs, Some(&request.id));
    run(aws, &kind.update, &known).await?;
    let outputs = observe(kind, aws, known, request.inputs).await?;
    let outputs = outputs.ok_or_else(|| Failure::plain(format!("{} does not exist any more", request.id)))?;
    Ok(Updated { outputs, refresh_before_update: false })
}

pub(crate) async fn delete(kind: &Kind, aws: &Aws, request: DeleteRequest) -> Result<(), Failure> {
    let known = known(aws, &request.old_outputs, Some(&request.id));
    for step in &kind.delete {
        match run(aws, std::slice::from_ref(step), &known).await {
            Ok(_) => {}
            Err(Trouble::Refused(refusal)) if refusal.is_missing() => {}
            Err(trouble) => return Err(trouble.into()),
        }
    }
    Ok(())
}

/// What the object has now, on top of these properties. None: it does not exist.
async fn observe(
    kind: &Kind,
    aws: &Aws,
    mut known: Value,
    mut properties: PropertyMap,
) -> Result<Option<PropertyMap>, Failure> {
    if let Some(step) = &kind.read {
        known["answer"] = match run(aws, std::slice::from_ref(step), &known).await {
            Ok(answer) => answer,
            Err(Trouble::Refused(refusal)) if refusal.is_missing() => return Ok(None),
            Err(trouble) => return Err(trouble.into()),
        };
    }
    if kind.exists.as_deref().is_some_and(|path| template::at(&known, path).is_none()) {
        return Ok(None);
    }
    for (name, template) in &kind.outputs {
        properties.insert(name.clone(), convert::property(&template::fill(template, &known)));
    }
    Ok(Some(properties))
}

enum Trouble {
    Refused(Refusal),
    Table(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Refused(refusal) => refusal.into(),
            Trouble::Table(message) => Self::bug(message),
        }
    }
}

/// Makes the calls one after the other; the answer is the last one's.
async fn run(aws: &Aws, steps: &[Step], known: &Value) -> Result<Value, Trouble> {
    let mut answer = Value::Null;
    for step in steps {
        if step.only_if.as_deref().is_some_and(|path| template::at(known, path).is_none()) {
            continue;
        }
        let line = template::fill_line(&step.call, known)
            .ok_or_else(|| Trouble::Table(format!("something that \"{}\" needs is not known", step.call)))?;
        let call = Call::new(&line, template::fill(&step.body, known)).map_err(Trouble::Table)?;
        answer = aws.call(&call).await.map_err(Trouble::Refused)?;
    }
    Ok(answer)
}

/// What templates may use: the properties, the id, and under `aws` where calls go.
fn known(aws: &Aws, properties: &PropertyMap, id: Option<&str>) -> Value {
    let mut known = convert::json_object(properties);
    known["aws"] = json!({ "endpoint": aws.endpoint, "region": aws.region, "account": aws.account });
    if let Some(id) = id {
        known["id"] = id.into();
    }
    known
}
